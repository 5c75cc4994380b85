// Kills the server between the steps of requests with a key, again and again, and judges what became of each: npm run kills
//   --kills 200   --seed N   --database embedded|secantus
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { RandomBson } from '../random-bson.js'
import { Api } from './api.js'
import { moments, steps, type KillAt } from './commands.js'
import { isReplayed } from './judge.js'
import { prove, together } from './proof.js'
import { Rounds, type Tried } from './rounds.js'
import { printTable } from './table.js'

/** A key is kept from others for four times as long. */
const TIMEOUT_MS = 500
/** Where nothing is killed, a slow machine is no fault. */
const PATIENT_TIMEOUT_MS = 5_000

const MAX_NTH = 3
const MAX_PAUSE_MS = 5
const KEYS_TOGETHER = 10
const SHOWN = 20

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
    database: { type: 'string', default: 'embedded' }
  }
})

const random = new RandomBson(Number(options.seed))
const below = (limit: number): number => random.below(limit)
const folder = await mkdtemp(join(tmpdir(), 'kills-'))
const api = new Api(options.database, folder, TIMEOUT_MS)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cleanUp().finally(() => process.exit(1)))
try {
  process.exitCode = await run()
} finally {
  await cleanUp()
}

async function cleanUp (): Promise<void> {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
}

async function run (): Promise<number> {
  const started = performance.now()
  console.log(`${options.kills} kills on ${options.database}, seed ${options.seed}`)
  const rounds = new Rounds(api, below)
  const kills = new Map<string, number>()
  for (let count = 0; count < Number(options.kills); count++) {
    const { name, at } = chosen(count)
    await rounds.untilKilled(at, name)
    kills.set(name, (kills.get(name) ?? 0) + 1)
  }
  await api.start({ MONGODB_TIMEOUT_MS: String(PATIENT_TIMEOUT_MS) })
  await rounds.finish()
  const wrong = [...rounds.wrong, ...await prove(api, rounds.requests), ...await allTogether()]
  report(rounds, kills)
  const all = [...wrong, ...rounds.requests.flatMap((request) => request.wrong.map((each) => `${request.key}, cut ${request.cutBy ?? 'never'}: ${each}`))]
  for (const each of all.slice(0, SHOWN)) console.log(each)
  console.log(`${all.length} violations, ${rounds.waits} answers to come again, ${Math.round((performance.now() - started) / 1_000)} s`)
  return all.length === 0 ? 0 : 1
}

/** Each step and moment in turn. */
function chosen (count: number): { name: string, at: KillAt } {
  const step = steps[count % steps.length] ?? 'key done'
  const moment = moments[Math.floor(count / steps.length) % moments.length] ?? 'replied'
  return { name: `${step}: ${moment}`, at: { step, moment, nth: 1 + below(MAX_NTH), pauseMs: below(MAX_PAUSE_MS) } }
}

async function allTogether (): Promise<string[]> {
  const wrong: string[] = []
  const answers = []
  for (let count = 0; count < KEYS_TOGETHER; count++) {
    const found = await together(api, `together-${count}`)
    wrong.push(...found.wrong.map((each) => `50 at once: ${each}`))
    answers.push(...found.answers)
  }
  const there = answers.filter((answer) => answer !== undefined)
  const replays = there.filter(isReplayed).length
  const firsts = there.filter(({ status }) => status === 201).length - replays
  console.log(`50 requests at once with one key, ${KEYS_TOGETHER} times: ${firsts} were 201, ${replays} the replay, ${there.filter(({ status }) => status === 409).length} 409`)
  return wrong
}

/** The keys of a row are those that its kills cut first. */
function report ({ requests }: Rounds, kills: ReadonlyMap<string, number>): void {
  const row = (name: string, count: number, of: readonly Tried[]) => {
    const due = of.flatMap(({ students }) => students).length
    const found = of.reduce((sum, request) => sum + request.found, 0)
    return [name, count, of.length, due, found, of.filter(({ wrong }) => wrong.length > 0).length]
  }
  printTable(['Step and kill', 'Kills', 'Keys cut', 'Students due', 'Students', 'Wrong keys'], [
    ...[...kills].sort().map(([name, count]) => row(name, count, requests.filter(({ cutBy }) => cutBy === name))),
    row('never cut', 0, requests.filter(({ cutBy }) => cutBy === undefined)),
    row('all', [...kills.values()].reduce((sum, count) => sum + count, 0), requests)
  ])
}
