import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type NetConnectOpts } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.js'
import { hosts } from '../../lib/mongodb/connect.js'
import { StoreProcess } from '../embedded/processes.js'

const START_LIMIT_MS = 30_000

/** A database that may be killed and started again. */
export interface Database {
  /** Where it is, from its last start on. */
  url: string
  start (): Promise<void>
  /** At once, in the middle of what it does. */
  kill (): Promise<void>
}

/** The database of a name: `embedded`, `secantus` (of SECANTUSD_PY), or a URL of one that is running, which can't be killed. */
export function databaseOf (name: string, folder: string): Database {
  if (name === 'embedded') return new Embedded(folder)
  if (name === 'secantus') return new Secantus(process.env.SECANTUSD_PY ?? 'secantusd-py', folder)
  return { url: name, start: async () => {}, kill: async () => {} }
}

/** Where to connect for a URL of one server. */
export function addressOf (url: string): NetConnectOpts {
  const host = decodeURIComponent(hosts(url))
  const [name = '', port = '27017'] = host.split(':')
  return host.endsWith('.sock') ? { path: host } : { host: name, port: Number(port) }
}

class Embedded implements Database {
  url = ''
  #folder: string
  #process: StoreProcess | undefined

  constructor (folder: string) {
    this.#folder = folder
  }

  async start (): Promise<void> {
    this.#process = new StoreProcess(this.#folder)
    const { url, error } = await this.#process.answer
    if (url === undefined) throw new Error(`the embedded store did not start: ${error}`)
    this.url = url
  }

  async kill (): Promise<void> {
    await this.#process?.kill()
  }
}

/** SecantusDB in Python, which syncs each commit. */
class Secantus implements Database {
  url = ''
  #program: string
  #folder: string
  #port: number | undefined
  #child: ChildProcess | undefined

  constructor (program: string, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  async start (): Promise<void> {
    const port = this.#port ??= await freePort()
    this.url = `mongodb://127.0.0.1:${port}/?directConnection=true`
    this.#child = spawn(this.#program, ['--port', String(port), '--storage-path', this.#folder, '--sync-on-commit'], { stdio: ['ignore', 'ignore', 'inherit'] })
    await once(this.#child, 'spawn')
    await isUp(port, this.#child)
  }

  async kill (): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

async function isUp (port: number, child: ChildProcess): Promise<void> {
  for (const end = performance.now() + START_LIMIT_MS; performance.now() < end && child.exitCode === null;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
  throw new Error('SecantusDB did not start')
}
