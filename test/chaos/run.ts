// Injects faults between the API and its database under load, and judges all that its clients see: npm run chaos
//   --seconds 60   --seed N   --database embedded|secantus|URL   --kill: kills the database every 2 s, and injects nothing else
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import { launch, listening, type Process } from '../launch.js'
import { RandomBson } from '../random-bson.js'
import type { Below } from './corruption.js'
import { commandIn } from './command.js'
import { Client, list, now, observe, show, type Load } from './client.js'
import { addressOf, databaseOf, type Database } from './databases.js'
import { Judge } from './judge.js'
import { FaultyProxy, faultKinds } from './proxy.js'
import { Recovery, RECOVERY_MS } from './recovery.js'

const CLIENTS = 32
const KILL_INTERVAL_MS = 2_000
const MAX_RSS_MB = 512
const SHOWN_VIOLATIONS = 20

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
    database: { type: 'string', default: 'embedded' },
    kill: { type: 'boolean', default: false }
  }
})

/** Three sources of chance, so that the faults follow the seed alone, whatever the load does meanwhile. */
const [schedule, spoiling, loading] = [0, 1, 2].map((stream) => {
  const random = new RandomBson(Number(options.seed) + stream * 0x9E3779B9)
  return (limit: number): number => random.below(limit)
}) as [Below, Below, Below]

const databaseName = `test_chaos_${Date.now().toString(36)}`
const teardowns: (() => unknown)[] = []
const folder = await mkdtemp(join(tmpdir(), 'chaos-'))
const database = databaseOf(options.database, folder)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cleanUp().finally(() => process.exit(1)))
try {
  process.exitCode = await run(database)
} finally {
  await cleanUp()
}

async function cleanUp (): Promise<void> {
  for (const stop of teardowns.splice(0).reverse()) await stop()
  await database.kill()
  await rm(folder, { recursive: true, force: true })
}

async function run (database: Database): Promise<number> {
  console.log(`chaos on ${options.database} for ${options.seconds} s, seed ${options.seed}${options.kill ? ', killing the database' : ''}`)
  await database.start()
  const judge = new Judge()
  const proxy = new FaultyProxy({
    target: () => addressOf(database.url),
    below: spoiling,
    onRequest: (message) => judge.sent(commandIn(message), now()),
    onDelivered: (message) => judge.delivered(commandIn(message), now())
  })
  const server = await startServer(await proxy.start())
  teardowns.push(() => proxy.stop())
  const load: Load = { url: await listening(server), judge, recovery: new Recovery(judge, now()), below: loading, answers: new Map(), slowestMs: 0 }
  const memory = watch(server, judge)
  const ending = new AbortController()
  const clients = Promise.all(Array.from({ length: CLIENTS }, async (_, number) => new Client(load, number).run(ending.signal)))
  await sleep(1_000)
  const faults = options.kill ? await killAgainAndAgain(load, database) : await inject(load, proxy)
  await sleep(RECOVERY_MS + 1_500)
  ending.abort()
  await clients
  await look(load, database)
  report(load, proxy, faults, memory.stop())
  for (const [failure, count] of failuresIn(server.output)) console.log(`logged ${count} times: ${failure}`)
  return judge.violations.length === 0 ? 0 : 1
}

async function startServer (url: string): Promise<Process> {
  if (options.database.startsWith('mongodb')) teardowns.push(async () => dropDatabase(options.database))
  const env = { MONGODB_URL: url, MONGODB_DATABASE: databaseName, LOG_LEVEL: 'error', DOCS: 'off' }
  return launch({ teardown: (stop) => teardowns.push(stop) }, env, { cwd: folder })
}

/** One fault after the other, with a pause behind each, every other one long enough to see that all is well again. */
async function inject ({ recovery }: Load, proxy: FaultyProxy): Promise<number> {
  let faults = 0
  for (const end = now() + 1_000 * Number(options.seconds); now() < end; faults++) {
    const kind = faultKinds[schedule(faultKinds.length)] ?? 'delay'
    recovery.faultBegan(now())
    proxy.begin({ kind, connections: 30 + schedule(71), messages: kind === 'freeze' ? 100 : 2 + schedule(60) })
    // only a freeze longer than the API's deadline shows that it gives up what it froze
    await sleep((kind === 'freeze' ? 1_500 : 200) + schedule(2_800))
    proxy.end()
    recovery.faultEnded(now())
    await sleep(schedule(2) === 0 ? 100 + schedule(900) : RECOVERY_MS + 500 + schedule(1_000))
  }
  return faults
}

async function killAgainAndAgain ({ judge, recovery }: Load, database: Database): Promise<number> {
  let kills = 0
  for (const end = now() + 1_000 * Number(options.seconds); now() < end; kills++) {
    const next = sleep(KILL_INTERVAL_MS)
    recovery.faultBegan(now())
    await database.kill()
    judge.killed()
    await database.start()
    recovery.faultEnded(now())
    await next
  }
  return kills
}

/** What is there in the end, by the API and beside it: each acknowledged write. */
async function look (load: Load, database: Database): Promise<void> {
  const { judge } = load
  const agent = new Agent({ keepAlive: true })
  if (await list(load, agent) !== 200) judge.violate('slow recovery', 'no list in the end')
  for (const student of judge.known) await show(load, agent, student, 'lost write')
  agent.destroy()
  const client = await MongoClient.connect(database.url)
  const read = judge.beginList(now())
  const stored = await client.db(databaseName).collection('students').find().toArray()
  observe(load, read, stored.map(({ _id, name, email, course }) => ({ id: String(_id), name, email, course })), 'lost write')
  await client.close()
}

/** Looks at the server's memory, and that it lives. */
function watch (server: Process, judge: Judge) {
  let highest = 0
  let last = 0
  let told = 0
  const timer = setInterval(() => {
    last = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(server.child.pid)], { encoding: 'utf8' })) / 1024
    highest = Math.max(highest, last)
    // at once, since a run may take long
    for (; told < Math.min(judge.violations.length, SHOWN_VIOLATIONS); told++) console.log(`violation: ${JSON.stringify(judge.violations[told])}`)
  }, 2_000)
  const onExit = (code: number | null, signal: string | null) => judge.violate('crash', `the server ended with ${code ?? signal}: ${server.output.slice(-2_000)}`)
  server.child.once('exit', onExit)
  return {
    stop () {
      clearInterval(timer)
      server.child.off('exit', onExit)
      if (highest > MAX_RSS_MB) judge.violate('memory', `the server took ${Math.round(highest)} MB`)
      return { highest, last }
    }
  }
}

/** What the server logged as failures of its own, and how often. */
function failuresIn (log: string): Map<string, number> {
  const failures = new Map<string, number>()
  for (const line of log.split('\n').filter((line) => line.includes('"err":'))) {
    const { err: { type, message, code, stack = '' } } = JSON.parse(line) as { err: Record<string, string> }
    const failure = [type, code, message?.replaceAll(/\d+/g, 'N'), stack.split('\n').find((at) => /^ +at /.test(at))?.trim()].filter(Boolean).join(' ')
    failures.set(failure, (failures.get(failure) ?? 0) + 1)
  }
  return failures
}

async function dropDatabase (url: string): Promise<void> {
  const client = await MongoClient.connect(url)
  await client.db(databaseName).dropDatabase()
  await client.close()
}

function report (load: Load, proxy: FaultyProxy, faults: number, { highest, last }: { highest: number, last: number }): void {
  const { answers, judge: { violations }, recovery, slowestMs } = load
  const counts = (of: Map<string, number>) => [...of].sort().map(([kind, count]) => `${kind}: ${count}`).join(', ')
  const rows = [
    [options.kill ? 'Kills' : 'Faults', String(faults)],
    ...(options.kill ? [] : [['Messages they met', counts(proxy.injected)]]),
    ['Requests', String([...answers.values()].reduce((sum, count) => sum + count, 0))],
    ['Answers', counts(answers)],
    ['Slowest answer', `${Math.round(slowestMs)} ms`],
    ['Last 503 after a fault', `${Math.round(recovery.longest)} ms`],
    ['Memory of the server', `${Math.round(highest)} MB at most, ${Math.round(last)} MB in the end`],
    ['Violations', violations.length === 0 ? 'none' : String(violations.length)]
  ]
  for (const [name, value] of rows) console.log(`| ${name} | ${value} |`)
  for (const { rule, detail } of violations.slice(0, SHOWN_VIOLATIONS)) console.log(`${rule}: ${detail}`)
}
