import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./store-process.js', import.meta.url))

/** A process of its own that starts a store. */
export class StoreProcess {
  readonly child: ChildProcess
  /** What became of the start. */
  readonly answer: Promise<{ url?: string, error?: string }>
  private readonly exited: Promise<unknown>

  constructor (directory: string) {
    // by env(1), without what tap preloads: its coverage would be that of a killed process
    this.child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script, directory], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { PATH: process.env.PATH }
    })
    this.exited = once(this.child, 'exit')
    this.answer = once(this.child, 'message').then(([answer]) => answer)
  }

  async kill (): Promise<unknown> {
    this.child.kill('SIGKILL')
    return this.exited
  }

  /** Has it call process.exit(3), whatever it is at; resolves with exit code and signal. */
  async exit (): Promise<unknown> {
    this.child.send('exit')
    return this.exited
  }

  /** Resolves with exit code and signal, once the process has ended by itself. */
  async end (): Promise<unknown> {
    this.child.send('end')
    return this.exited
  }
}
