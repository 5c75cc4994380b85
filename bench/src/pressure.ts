import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from '@commander-js/extra-typings'
import { execa } from 'execa'
import { MongoClient } from 'mongodb'
import { median, quantile, sum } from 'simple-statistics'
import { readBy } from './cases.js'
import { svg } from './chart.js'
import { inFolder, toCount, type AtEnd } from './command.js'
import { MACHINE, revision, today } from './facts.js'
import { wrk } from './measure.js'
import { fromRoot, need, pin, usageOf } from './process.js'
import { megabytes, table, whole } from './report.js'
import { startEmbedded, type Server } from './servers.js'
import { documentOf, fill, GRADES, gradeOf, idOf, scattered } from './students.js'

const STUDENTS = 10_000
const FIRST_RATE = 250
const MOST_STEPS = 8

/** Requests a second, few enough that they wait for nothing but what is beside them. */
const CALM_RATE = 100

const LOGINS = 32
const SLOW_READERS = 200
const READ_AT_ONCE = 64 * 1024
const READ_EVERY_MS = 500

const options = new Command('bench:pressure')
  .description('Measures what the server does under more load than it can serve, beside logins and slow readers, with workers and with metrics. It needs vegeta (go install github.com/tsenart/vegeta/v12@latest).')
  .option('--seconds <n>', 'of each step, default 15', toCount)
  .option('--rounds <n>', 'of what is compared, default 5', toCount)
  .option('--out <file>', 'writes the report there, docs/pressure-benchmarks.md, and the picture beside it')

export const pressureCommand = options.action(async ({ seconds = 15, rounds = 5, out }) => inFolder(async (folder, atEnd) => {
  await need('vegeta', 'Install Go, and then vegeta: go install github.com/tsenart/vegeta/v12@latest')
  await need('wrk', 'Install it: apt-get install wrk')
  const begin = async (name: string, env: NodeJS.ProcessEnv = {}, cores: { all?: string } = {}) => started(folder, atEnd, name, env, cores)
  const compared = { workers: await workers(begin, seconds, rounds, folder), metrics: await metrics(begin, rounds, folder) }
  const beside = { logins: await besideLogins(begin, seconds, folder), readers: await besideSlowReaders(begin, seconds, folder) }
  const { server, rest } = await pin()
  const steps = await overload(await begin('overload', {}, { ...server !== undefined && { all: server } }), seconds, folder)
  const text = await report({ seconds, rounds, cores: { server, rest }, steps, ...beside, ...compared })
  if (out === undefined) console.log(text)
  else await Promise.all([writeFile(out, text), writeFile(out.replace(/\.md$/, '.svg'), curve(steps))])
}))

type Begin = (name: string, env?: NodeJS.ProcessEnv) => Promise<Server>

async function started (folder: string, atEnd: AtEnd, name: string, env: NodeJS.ProcessEnv, cores: { all?: string }): Promise<Server> {
  const server = await startEmbedded({ cores, folder, url: '', database: 'bench' }, name, undefined, env)
  atEnd(server.stop)
  await withStudents(server, async (students) => fill(students, STUDENTS))
  return server
}

async function withStudents (server: Server, work: (students: ReturnType<ReturnType<MongoClient['db']>['collection']>) => Promise<unknown>): Promise<void> {
  const client = await MongoClient.connect(String(server.embeddedUrl))
  await work(client.db('bench').collection('students')).finally(() => client.close())
}

interface Attack {
  offered: number
  /** Answers of status 200, a second. */
  perSecond: number
  p50Ms: number
  p99Ms: number
  statuses: Record<string, number>
}

/** Sends requests at a rate, whatever became of those before, and tells of their answers; the times are those of status 200. */
async function attack (targets: string[], rate: number, seconds: number, folder: string): Promise<Attack> {
  const [file, results] = [join(folder, 'targets'), join(folder, 'results')]
  await writeFile(file, targets.join('\n\n'))
  await execa('vegeta', ['attack', '-targets', file, '-rate', `${rate}/1s`, '-duration', `${seconds}s`, '-timeout', '10s', '-connections', '10000', '-max-workers', '10000', '-output', results])
  const { stdout } = await execa('vegeta', ['encode', '-to', 'csv', results], { maxBuffer: 1e9 })
  // timestamp, status, latency in nanoseconds and more; status 0 is no answer
  return attackOf(stdout.split('\n').map((line) => line.split(',')).map(([, status = '0', latency]) => ({ status, ms: Number(latency) / 1e6 })), seconds)
}

/** What answers say together. */
export function attackOf (answers: { status: string, ms: number }[], seconds: number): Attack {
  const statuses: Record<string, number> = {}
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1
  const times = answers.filter(({ status }) => status === '200').map(({ ms }) => ms)
  const at = (part: number) => times.length > 0 ? quantile(times, part) : NaN
  return { offered: answers.length / seconds, perSecond: times.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), statuses }
}

/** Ever more requests for short lists, each of another one, until there are four times as many as were ever answered. */
async function overload ({ url }: Server, seconds: number, folder: string): Promise<Attack[]> {
  const targets = Array.from({ length: GRADES }, (_, n) => `GET ${url}/students/?limit=20&gpa.gte=${gradeOf(n)}`)
  await attack(targets, FIRST_RATE, 5, folder)
  const steps: Attack[] = []
  for (let rate = FIRST_RATE; steps.length < MOST_STEPS; rate = Math.min(rate * 2, Math.ceil(4.1 * bestOf(steps)))) {
    const step = await attack(targets, rate, seconds, folder)
    console.error(`${rate}/s: ${Math.round(step.perSecond)}/s, p99 ${Math.round(step.p99Ms)} ms`)
    steps.push(step)
    if (step.offered >= 4 * bestOf(steps)) break
    await sleep(2_000)
  }
  return steps
}

const bestOf = (steps: Attack[]) => Math.max(...steps.map(({ perSecond }) => perSecond))

const readsOf = (url: string, headers = '') => Array.from({ length: 1_000 }, (_, n) => `GET ${url}/students/${idOf(scattered(n, STUDENTS))}${headers}`)

/** Reads alone, and beside logins that never end. */
async function besideLogins (begin: Begin, seconds: number, folder: string) {
  const server = await begin('logins', { AUTH: 'on', JWT_SECRET: 'x'.repeat(40) })
  const environment = { ...process.env, MONGODB_URL: server.embeddedUrl, MONGODB_DATABASE: 'bench' }
  await execa(process.execPath, [fromRoot('dist/cli.js'), 'users', 'add', 'reader', '--scope', 'students:read'], { input: 'correct horse\n', env: environment })
  const logIn = async () => fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'password', username: 'reader', password: 'correct horse' }) })
  const { access_token: token } = await (await logIn()).json() as { access_token: string }
  const reads = readsOf(server.url, `\nAuthorization: Bearer ${token}`)
  await attack(reads, CALM_RATE, 3, folder)
  const alone = await attack(reads, CALM_RATE, seconds, folder)
  let logins = 0
  const end = new AbortController()
  const endless = async () => {
    while (!end.signal.aborted) {
      const { status } = await logIn()
      if (status === 200) logins++
    }
  }
  const all = Array.from({ length: LOGINS }, endless)
  await sleep(1_000)
  logins = 0
  const beside = await attack(reads, CALM_RATE, seconds, folder)
  const perSecond = logins / seconds
  end.abort()
  await Promise.all(all)
  await server.stop()
  console.error(`p99 of reads ${alone.p99Ms} ms, beside ${perSecond} logins/s ${beside.p99Ms} ms`)
  return { alone, beside, perSecond }
}

/** Reads alone, and beside clients that take 10 MB each at their leisure. */
async function besideSlowReaders (begin: Begin, seconds: number, folder: string) {
  const server = await begin('readers')
  const long = 'x'.repeat(10_000)
  await withStudents(server, async (students) => students.insertMany(Array.from({ length: 1_000 }, (_, n) => ({ ...documentOf(STUDENTS + n), course: long, gpa: 9 }))))
  const reads = readsOf(server.url)
  await attack(reads, CALM_RATE, 3, folder)
  const alone = await attack(reads, CALM_RATE, seconds, folder)
  const restBytes = (await usageOf(server.pid)).anonBytes
  const { hostname, port } = new URL(server.url)
  const slow = (socket: Socket) => {
    socket.pause()
    const timer = setInterval(() => socket.read(READ_AT_ONCE), READ_EVERY_MS)
    return once(socket.on('error', () => {}), 'close').finally(() => clearInterval(timer))
  }
  const sockets = await Promise.all(Array.from({ length: SLOW_READERS }, async () => {
    const socket = connect({ port: Number(port), host: hostname })
    await once(socket, 'connect')
    socket.write('GET /students/?gpa=9&limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return socket
  }))
  const closed = sockets.map(slow)
  let mostBytes = restBytes
  const timer = setInterval(() => { usageOf(server.pid).then(({ anonBytes }) => { mostBytes = Math.max(mostBytes, anonBytes) }, () => {}) }, 100)
  const beside = await attack(reads, CALM_RATE, seconds, folder)
  clearInterval(timer)
  for (const socket of sockets) socket.destroy()
  await Promise.all(closed)
  await server.stop()
  console.error(`p99 of reads ${alone.p99Ms} ms, beside slow readers ${beside.p99Ms} ms, ${megabytes(mostBytes - restBytes)} more memory`)
  return { alone, beside, growthBytes: mostBytes - restBytes }
}

/** Processor time for one read by id, in microseconds, of the processes that answer: where the load shares their cores, requests a second say little. */
async function workers (begin: Begin, seconds: number, rounds: number, folder: string) {
  const costs = new Map<number, number[]>([[1, []], [2, []]])
  for (const [count, found] of costs) {
    const server = await begin(`workers ${count}`, { WORKERS: String(count) })
    const pids = count === 1 ? [server.pid] : (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).trim().split(' ').map(Number)
    const cpuMs = async () => sum(await Promise.all(pids.map(async (pid) => (await usageOf(pid)).cpuMs)))
    await wrk(readBy(64), server, 3, folder)
    for (let round = 0; round < rounds; round++) {
      const before = await cpuMs()
      const { requests } = await wrk(readBy(64), server, Math.min(seconds, 5), folder)
      found.push((await cpuMs() - before) * 1_000 / requests)
    }
    console.error(`${count} workers: ${median(found).toFixed(0)} µs of ${pids.length} processes for one read`)
    await server.stop()
  }
  return { one: median(costs.get(1) ?? []), two: median(costs.get(2) ?? []) }
}

/** Reads a second with metrics and without, in turns. */
async function metrics (begin: Begin, rounds: number, folder: string) {
  const [off, on] = [await begin('plain'), await begin('metrics', { METRICS: 'on' })]
  const perSecond = { off: [] as number[], on: [] as number[] }
  await Promise.all([off, on].map(async (server) => wrk(readBy(64), server, 3, folder)))
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? ['off', 'on'] as const : ['on', 'off'] as const
    for (const name of order) {
      const { requests, seconds } = await wrk(readBy(64), name === 'off' ? off : on, 5, folder)
      perSecond[name].push(requests / seconds)
    }
  }
  await Promise.all([off.stop(), on.stop()])
  const found = { off: median(perSecond.off), on: median(perSecond.on) }
  console.error(`reads: ${whole(found.off)}/s, with metrics ${whole(found.on)}/s`)
  return found
}

interface Figures {
  seconds: number
  rounds: number
  cores: { server?: string | undefined, rest?: string | undefined }
  steps: Attack[]
  logins: Awaited<ReturnType<typeof besideLogins>>
  readers: Awaited<ReturnType<typeof besideSlowReaders>>
  workers: Awaited<ReturnType<typeof workers>>
  metrics: Awaited<ReturnType<typeof metrics>>
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`

async function report ({ seconds, rounds, cores, steps, logins, readers, workers, metrics }: Figures): Promise<string> {
  const best = bestOf(steps)
  const last = steps.at(-1) as Attack // there is one
  const met = (isMet: boolean) => isMet ? 'yes' : '**no**'
  const [slower, slow] = [logins.beside.p99Ms / logins.alone.p99Ms, readers.beside.p99Ms / readers.alone.p99Ms]
  const scaling = 2 * workers.one / workers.two
  const cost = 1 - metrics.on / metrics.off
  return [
    '# Benchmarks under pressure',
    `Written by \`npm run bench:pressure\` on ${today()}, at revision ${await revision()}: the embedded store, ${whole(STUDENTS)} students, Node ${process.version}. ${MACHINE}.`,
    '![Requests answered a second, by requests sent a second](pressure-benchmarks.svg)',
    `Requests for short lists, each of another one, come at a rate, whatever became of those before (vegeta), ${seconds} s for each row. ` +
    (cores.server === undefined ? 'Nothing is pinned.' : `The server with its store has core ${cores.server}, the load core ${cores.rest}.`),
    table(['sent a second', 'answered a second', '503 a second', 'no answer', 'p50', 'p99'], steps.map(({ offered, perSecond, p50Ms, p99Ms, statuses }) =>
      [whole(offered), whole(perSecond), whole((statuses['503'] ?? 0) / seconds), whole(statuses['0'] ?? 0), ms(p50Ms), ms(p99Ms)])),
    table(['', 'measured', 'target', 'met'], [
      [`lists at ${(last.offered / best).toFixed(1)} times the load that can be served, beside the best throughput`, (last.perSecond / best).toFixed(2), 'at least 0.80', met(last.offered >= 3.9 * best && last.perSecond >= 0.8 * best)],
      ['their p99', ms(last.p99Ms), 'at most 1 s', met(last.p99Ms <= 1_000)],
      [`p99 of ${CALM_RATE} reads by id a second beside ${LOGINS} clients that log in all the time, ${logins.perSecond.toFixed(1)} logins a second, to those alone`, `${ms(logins.beside.p99Ms)}, ${ms(logins.alone.p99Ms)}: ${slower.toFixed(1)}`, 'at most 3', met(slower <= 3)],
      [`p99 of the same beside ${SLOW_READERS} clients that read 10 MB each, 128 KiB a second, to those alone`, `${ms(readers.beside.p99Ms)}, ${ms(readers.alone.p99Ms)}: ${slow.toFixed(1)}`, 'at most 5', met(slow <= 5)],
      ['memory that those readers take', megabytes(readers.growthBytes), 'at most 512 MB', met(readers.growthBytes <= 512e6)],
      [`2 workers to 1, reads by id: twice the processor time of one worker for a read (${workers.one.toFixed(0)} µs), to that of two (${workers.two.toFixed(0)} µs)`, scaling.toFixed(2), 'at least 1.6', met(scaling >= 1.6)],
      [`cost of metrics at full load, reads by id, medians of ${rounds} rounds`, `${whole(metrics.on)} and ${whole(metrics.off)} a second: ${(cost * 100).toFixed(1)}%`, 'at most 3%', met(cost <= 0.03)]
    ]),
    'Workers are judged by processor time, since the load has the same cores: two workers answer as many times more as each of them needs no more time for a read than one alone. ' +
    'That leaves out the store, which is one thread of the primary process or a server of its own.'
  ].join('\n\n') + '\n'
}

const [WIDTH, HEIGHT, MARGIN] = [640, 320, 56]

/** Answers a second over requests a second, and what was refused. */
function curve (steps: Attack[]): string {
  const most = Math.max(...steps.map(({ offered }) => offered))
  const top = bestOf(steps) * 1.2
  const x = (value: number) => (MARGIN + value / most * (WIDTH - MARGIN - 20)).toFixed(1)
  const y = (value: number) => (HEIGHT - MARGIN - value / top * (HEIGHT - MARGIN - 20)).toFixed(1)
  const points = steps.map(({ offered, perSecond }) => `${x(offered)},${y(perSecond)}`)
  return svg(WIDTH, HEIGHT, 'sans-serif', 12, [
    `<path d="M${x(0)} ${y(top)}V${y(0)}H${x(most)}" fill="none" stroke="#57606a"/>`,
    `<polyline points="${x(0)},${y(0)} ${points.join(' ')}" fill="none" stroke="#0969da" stroke-width="2"/>`,
    ...steps.map(({ offered, perSecond, p99Ms }) => `<circle cx="${x(offered)}" cy="${y(perSecond)}" r="4" fill="#0969da"/><text x="${x(offered)}" y="${Number(y(perSecond)) - 8}" text-anchor="end">p99 ${ms(p99Ms)}</text>`),
    ...steps.map(({ offered }) => `<text x="${x(offered)}" y="${HEIGHT - MARGIN + 18}" text-anchor="middle">${whole(offered)}</text>`),
    `<text x="${MARGIN - 6}" y="${y(bestOf(steps))}" text-anchor="end">${whole(bestOf(steps))}</text>`,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 12}" text-anchor="middle">requests sent a second; the line: lists answered a second</text>`
  ])
}
