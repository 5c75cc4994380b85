import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

interface Test {
  teardown (stop: () => unknown): void
}

/** A child process of a test, with what it printed; it does not outlive the test. */
export class Process {
  output = ''
  child: ChildProcess
  exited: Promise<{ code: number | null, signal: string | null }>

  constructor (t: Test, command: string, args: string[], options: SpawnOptions) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => { this.output += text })
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    t.teardown(async () => {
      this.child.kill('SIGKILL')
      await this.exited
    })
  }

  /** Waits until the output has a match; fails when the process ends before. */
  async prints (pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output)
      if (match) return match
      const more = once(this.child.stdout ?? this.child, 'data').then(() => false)
      if (await Promise.race([more, this.exited.then(() => true)]) && !pattern.test(this.output)) {
        throw new Error(`ended without ${pattern}: ${this.output}`)
      }
    }
  }
}

/** Opens a connection and sends the text on it. */
export async function send (url: string, text: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

/** A request that is under way and stays so until the other 199 bytes of its body come. */
export const half = 'POST /students/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Starts the built server on a free port; its source instead where the test is to count for coverage, which is slow. */
export function launch (t: Test, env: NodeJS.ProcessEnv, { fromSource = false, cwd = root, execArgv = [] as string[] } = {}): Process {
  const args = fromSource ? [...process.execArgv, ...execArgv, `${root}server.ts`] : [`${root}dist/server.js`]
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'MONGODB_URL'))
  return new Process(t, process.execPath, args, { cwd, env: { ...clean, PORT: '0', ...env } })
}

/** The URL of a started server. */
export async function listening (server: Process): Promise<string> {
  return (await server.prints(/Student Course API at (http:\/\/[^ ,]+)/))[1] ?? ''
}

/** Runs the built command line with a text on its standard input; answers how it ended and what it printed. */
export async function runCli (t: Test, env: NodeJS.ProcessEnv, words: string, input = '') {
  const command = new Process(t, process.execPath, [`${root}dist/cli.js`, ...words.split(' ')], {
    // in a folder without a .env file
    stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, MONGODB_URL: '', ...env }, cwd: tmpdir()
  })
  command.child.stdin?.end(input)
  const { code } = await command.exited
  return { code, output: command.output }
}
