import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../test/free-port.js'

export const run = promisify(execFile)

/** A path of the project, from its root. */
export const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** How long a server may take from its start to its first answer. */
const START_LIMIT_MS = 30_000
const LOOK_EVERY_MS = 10

/** Lists of cores as taskset takes them; none where nothing is pinned. */
export interface Cores {
  /** The core of the server that is measured. */
  server?: string
  /** The cores of everything else: database and load. */
  rest?: string
  /** For a server that has its database in itself: the cores of both. */
  all?: string
}

export interface Launch {
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  cores?: string | undefined
}

export interface Running {
  pid: number
  url: string
  startMs: number
  stop (): Promise<void>
}

/** Pins this process, and so all that it starts, to all cores but the first, which is for the server that is measured. */
export async function pin (): Promise<Cores> {
  const count = availableParallelism()
  if (count < 2 || !await isInstalled('taskset')) return {}
  const rest = count === 2 ? '1' : `1-${count - 1}`
  await run('taskset', ['-a', '-c', '-p', rest, String(process.pid)])
  return { server: '0', rest, all: `0-${count - 1}` }
}

export async function isInstalled (command: string): Promise<boolean> {
  return run('which', [command]).then(() => true, () => false)
}

/**
 * Starts an HTTP server, which finds its port in `PORT`, and waits for its first answer.
 * Throws an Error with what it printed if it ends or stays silent.
 */
export async function startServer (launch: Launch): Promise<Running> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  return start({ ...launch, env: { ...launch.env, PORT: String(port) } }, url, () => answers(url))
}

/** Starts any server; `isReady` is asked again and again until it says so. */
export async function start (launch: Launch, url: string, isReady: () => Promise<boolean>): Promise<Running> {
  const started = performance.now()
  const { child, output } = spawnPinned(launch)
  while (!await isReady()) {
    const isLate = performance.now() - started > START_LIMIT_MS
    if (isLate) await stop(child)
    if (isLate || hasEnded(child)) throw new Error(`${launch.command} ${launch.args.join(' ')} did not start: ${output()}`)
    await sleep(LOOK_EVERY_MS)
  }
  const { pid = NaN } = child // it runs, so it has one
  return { pid, url, startMs: performance.now() - started, stop: () => stop(child) }
}

function spawnPinned ({ command, args, env, cwd, cores }: Launch) {
  const [file, ...rest] = [...cores ? ['taskset', '-c', cores] : [], command, ...args]
  const options = { env: { ...process.env, NODE_ENV: 'production', ...env }, ...cwd && { cwd } }
  const child = spawn(file ?? command, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => { child.kill('SIGKILL') }
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  // read to the end: a full pipe would hold up the server
  let output = ''
  const keep = (text: string) => { if (output.length < 10_000) output += text }
  child.on('error', ({ message }) => keep(message))
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep)
  return { child, output: () => output }
}

function hasEnded ({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

async function stop (child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function answers (url: string): Promise<boolean> {
  return fetch(url).then(async (answer) => { await answer.arrayBuffer(); return true }, () => false)
}

/** A process that took less of its time than this is idle. */
const IDLE_SHARE = 0.2
const IDLE_LOOK_MS = 100
const IDLE_LIMIT_MS = 10_000

/** Waits until processes are idle, but not for ever: servers go on with requests that nobody waits for any more. */
export async function idle (pids: number[]): Promise<void> {
  const cpuMs = async () => (await Promise.all(pids.map(usageOf))).map((usage) => usage.cpuMs)
  const started = performance.now()
  let before = await cpuMs()
  while (performance.now() - started < IDLE_LIMIT_MS) {
    await sleep(IDLE_LOOK_MS)
    const now = await cpuMs()
    if (now.every((ms, n) => ms - Number(before[n]) < IDLE_SHARE * IDLE_LOOK_MS)) return
    before = now
  }
}

/** Processor time in ticks of 10 ms, as Linux counts for user space (proc(5), USER_HZ). */
const TICK_MS = 10

/** What a process has used: processor time of user and system, resident memory, and the part of it that is no file's. */
export interface Usage {
  cpuMs: number
  rssBytes: number
  anonBytes: number
}

/** The usage of a process, from Linux's /proc. */
export async function usageOf (pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all(['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')))
  // the name of the command, in parentheses, may hold anything; utime and stime are the 14th and 15th field
  const fields = String(stat).replace(/^.*\) /s, '').split(' ')
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(String(status))?.[1]) * 1024
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, rssBytes: bytes('VmRSS'), anonBytes: bytes('RssAnon') }
}
