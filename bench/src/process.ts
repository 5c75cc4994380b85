import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import getPort from 'get-port'
import { sum } from 'simple-statistics'

/** A path of the project, from its root. */
export const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** How long a server may take from its start to its first answer, and to end. */
const LIMIT_MS = 30_000
const LOOK_EVERY_MS = 10

export interface Launch {
  command: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  cores?: string | undefined
}

export type Running = Awaited<ReturnType<typeof start>>

/** Lists of cores as taskset takes them; none where nothing is pinned. A server with its database in itself has all. */
export type Cores = Partial<Record<'server' | 'rest' | 'all', string>>

/** Pins this process, and so all that it starts, to all cores but the first, which is for the server that is measured. */
export async function pin (): Promise<Cores> {
  const count = availableParallelism()
  if (count < 2) return {}
  const rest = count === 2 ? '1' : `1-${count - 1}`
  await execa('taskset', ['-a', '-c', '-p', rest, String(process.pid)])
  return { server: '0', rest, all: `0-${count - 1}` }
}

/** Throws an Error that says what to do where a program is missing. */
export async function need (program: string, cure: string): Promise<void> {
  await execa('which', [program]).catch(() => { throw new Error(`There is no ${program}. ${cure}`) })
}

/** Starts an HTTP server, which finds its port in `PORT`, and waits for its first answer. Throws as `start` does. */
export async function startServer (launch: Launch): Promise<Running> {
  const port = await getPort({ host: '127.0.0.1' })
  const url = `http://127.0.0.1:${port}`
  const answers = async () => fetch(url).then(async (answer) => { await answer.arrayBuffer(); return true }, () => false)
  return start({ ...launch, env: { ...launch.env, PORT: String(port) } }, url, answers)
}

/**
 * Starts any server; `isReady` is asked again and again until it says so. It ends with this process.
 * Throws an Error with what it printed if it ends or stays silent.
 */
export async function start ({ command, env, cwd, cores }: Launch, url: string, isReady: () => Promise<boolean>) {
  const started = performance.now()
  const words = [...cores ? ['taskset', '-c', cores] : [], ...command]
  const options = { env: { NODE_ENV: 'production', ...env }, ...cwd && { cwd }, all: true, reject: false } as const
  const child = execa('env', words, { ...options, stdin: 'ignore', forceKillAfterDelay: LIMIT_MS })
  const stop = async () => {
    child.kill()
    await child
  }
  while (!await isReady()) {
    const hasEnded = await Promise.race([child.then(() => true), sleep(LOOK_EVERY_MS)])
    if (!hasEnded && performance.now() - started < LIMIT_MS) continue
    await stop()
    throw new Error(`${words.join(' ')} did not start: ${(await child).all}`)
  }
  const startMs = performance.now() - started
  const { pid = NaN } = child // it runs, so it has one
  return { pid, url, startMs, stop, restBytes: (await usageOf(pid)).rssBytes }
}

/** Processes that take less of a core's time than this are idle. */
const IDLE_SHARE = 0.2
const IDLE_LOOK_MS = 100
const IDLE_LIMIT_MS = 10_000

/** Waits until processes are idle, but not for ever: servers go on with requests that nobody waits for any more. */
export async function idle (pids: number[]): Promise<void> {
  const cpuMs = async () => sum((await Promise.all(pids.map(usageOf))).map((usage) => usage.cpuMs))
  for (const end = performance.now() + IDLE_LIMIT_MS; performance.now() < end;) {
    const before = await cpuMs()
    await sleep(IDLE_LOOK_MS)
    if (await cpuMs() - before < IDLE_SHARE * IDLE_LOOK_MS) return
  }
}

/** Processor time in ticks of 10 ms, as Linux counts for user space (proc(5), USER_HZ). */
const TICK_MS = 10

/** What a process has used, from Linux's /proc: processor time of user and system, resident memory, and the part of it that is no file's. */
export async function usageOf (pid: number) {
  const [stat, status] = await Promise.all(['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')))
  // the name of the command, in parentheses, may hold anything; utime and stime are the 14th and 15th field
  const fields = String(stat).replace(/^.*\) /s, '').split(' ')
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(String(status))?.[1]) * 1024
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, rssBytes: bytes('VmRSS'), anonBytes: bytes('RssAnon') }
}
