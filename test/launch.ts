import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { main } from '../cli/main.js'
import { built, root } from './root.js'

interface Test {
  teardown (stop: () => unknown): void
}

/** A child process of a test, with what it printed; it does not outlive the test. */
export class Process {
  output = ''
  /** What of it went to standard error. */
  errors = ''
  child: ChildProcess
  exited: Promise<{ code: number | null, signal: string | null }>

  constructor (t: Test, command: string, args: string[], options: SpawnOptions) {
    // by env(1): what tap puts into NODE_OPTIONS of every process, also where a test gives others, takes a second of a start
    this.child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
        if (stream === this.child.stderr) this.errors += text
      })
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
export const half = 'POST /students/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{'

/** In the environment of a process of ours: what it runs counts for the coverage, which takes time. Without a gate nothing counts. */
export const coverage = process.env._TAPJS_PROCESSINFO_COVERAGE_ === '1' ? { NODE_V8_COVERAGE: `${root}.tap/coverage` } : {}

/** Starts the server on a free port. Only one that is `counted` adds to the coverage. */
export function launch (t: Test, env: NodeJS.ProcessEnv, { counted = false, cwd = root, execArgv = [] as string[] } = {}): Process {
  // not as under npm, which sends some signals twice
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !['MONGODB_URL', 'npm_lifecycle_event'].includes(name)))
  return new Process(t, process.execPath, [...execArgv, `${built}server.js`], { cwd, env: { ...clean, ...(counted && coverage), PORT: '0', ...env } })
}

/** The URL of a started server. */
export async function listening (server: Process): Promise<string> {
  return (await server.prints(/Student Course API at (https?:\/\/[^ ,]+)/))[1] ?? ''
}

/** Runs the command line, in this process, with a text on its standard input; answers its exit status and what it printed. */
export async function runCli (env: NodeJS.ProcessEnv, words: string, input = '') {
  let output = ''
  const printed = () => new Writable({
    write (text, _encoding, done) {
      output += text
      done()
    }
  })
  const code = await main(words.split(' '), { env: { ...env }, stdin: Readable.from([input]), stdout: printed(), stderr: printed() })
  return { code, output }
}
