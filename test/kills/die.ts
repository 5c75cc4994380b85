// Preloaded by a server that is to end in the middle of its work: kills its own process, with all its threads, at the command that KILL_AT tells.
import { Socket } from 'node:net'
import { stepOf, type KillAt } from './commands.js'

const { step, moment, nth, pauseMs } = JSON.parse(String(process.env.KILL_AT)) as KillAt // as the runner wrote it
const write = Socket.prototype.write
let met = 0

Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
  const [chunk] = args
  const isIt = chunk instanceof Uint8Array && stepOf(chunk) === step && ++met === nth
  if (isIt && moment === 'before it') die()
  // a connection of the driver waits for one reply at a time
  if (isIt && moment === 'replied') this.prependOnceListener('data', die)
  const isDrained = write.apply(this, args)
  if (isIt && moment === 'written') {
    pause()
    die()
  }
  return isDrained
} as typeof write

/** This thread alone waits; that of the store works. */
function pause () {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
}

function die () {
  process.kill(process.pid, 'SIGKILL')
}
