import { randomBytes } from 'node:crypto'
import { execa } from 'execa'
import { MongoClient, type Collection } from 'mongodb'
import { errorFunction, median, permutationsHeap, sum, wilcoxonRankSum } from 'simple-statistics'
import { fromRoot } from './process.js'
import { startOurs, type Surroundings } from './servers.js'

const SAMPLES = 300
/** The first logins of each kind, which are not counted: connections open, code compiles. */
const WARM_UP = 20
/** All three comparisons together call a difference by mistake in less than one run of a hundred. */
const LEVEL = 0.01 / 3
const PASSWORD = 'correct horse battery staple'

/** Failed logins that nobody may tell apart, with what each sends as its password. */
const KINDS = [
  { name: 'unknown user', prefix: 'a', isStored: false, disabled: false, password: PASSWORD },
  { name: 'wrong password', prefix: 'b', isStored: true, disabled: false, password: `wrong ${PASSWORD}` },
  { name: 'disabled user, right password', prefix: 'c', isStored: true, disabled: true, password: PASSWORD }
]

/** The kinds take turns in all their orders, so that none comes always first or after the same one. */
const ORDERS = permutationsHeap([...KINDS]) // it changes what it gets

type Kind = typeof KINDS[number]

type User = { _id: string, username: string, disabled: boolean }

export type LoginTiming = ReturnType<typeof compare>

/** Times failed logins of three kinds, interleaved, on ours with access control, and compares them two by two. */
export async function timeLogins (around: Surroundings): Promise<LoginTiming> {
  const own = { ...around, database: `${around.database}_logins` }
  const env = { AUTH: 'on', JWT_SECRET: randomBytes(32).toString('base64'), TRUST_PROXY: 'loopback' }
  const client = await MongoClient.connect(around.url)
  const database = client.db(own.database)
  try {
    await storeUsers(own, database.collection<User>('users'))
    const server = await startOurs(own, 'ours', fromRoot('.'), env)
    return compare(await timesOf(server.url).finally(server.stop))
  } finally {
    await database.dropDatabase()
    await client.close()
  }
}

/** An account for each login: the first that fails on it, so that no count of earlier ones plays a part. */
const nameOf = ({ prefix }: Kind, n: number) => `${prefix}${String(n).padStart(5, '0')}`

/** All are copies of one that the command line adds. */
async function storeUsers ({ url, database, folder }: Surroundings, users: Collection<User>): Promise<void> {
  const env = { MONGODB_URL: url, MONGODB_DATABASE: database }
  await execa(process.execPath, [fromRoot('dist/cli.js'), 'users', 'add', 'model'], { cwd: folder, env, input: `${PASSWORD}\n` })
  const model = await users.findOne()
  if (!model) throw new Error('no user was added')
  await users.insertMany(KINDS.filter(({ isStored }) => isStored).flatMap((kind) => Array.from({ length: WARM_UP + SAMPLES }, (_, n) => {
    const username = nameOf(kind, n)
    return { ...model, _id: model._id.replace('model', username), username, disabled: kind.disabled }
  })))
}

async function timesOf (url: string): Promise<Map<Kind, number[]>> {
  const times = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]))
  const answers = new Set<string>()
  for (let n = 0; n < WARM_UP + SAMPLES; n++) {
    for (const kind of ORDERS[n % ORDERS.length] ?? []) {
      const { status, text, ms } = await failToLogIn(url, kind, n)
      // a machine under load: no answer to compare
      if (status === 503) continue
      if (!text.includes('invalid_grant')) throw new Error(`A login that has to fail was answered ${status}: ${text}`)
      answers.add(`${status} ${text}`)
      if (n >= WARM_UP) times.get(kind)?.push(ms)
    }
  }
  if (answers.size > 1) throw new Error(`Failed logins differ in their answers: ${[...answers].join(' ')}`)
  return times
}

async function failToLogIn (url: string, kind: Kind, n: number) {
  const body = new URLSearchParams({ grant_type: 'password', username: nameOf(kind, n), password: kind.password })
  // an address for each login, as an account for each
  const headers = { 'x-forwarded-for': `10.${kind.prefix.charCodeAt(0)}.${n >> 8}.${n & 255}` }
  const started = performance.now()
  const answer = await fetch(`${url}/token`, { method: 'POST', body, headers })
  const text = await answer.text()
  return { status: answer.status, text, ms: performance.now() - started }
}

/** Compares them two by two; a difference of `seenFromMs` would have been seen, if every login of one kind had it. */
function compare (times: Map<Kind, number[]>) {
  const all = [...times]
  const pairs = all.flatMap((one, n) => all.slice(n + 1).map((other) => [one, other] as const))
  return {
    kinds: all.map(([{ name }, ms]) => ({ name, samples: ms.length, medianMs: median(ms) })),
    comparisons: pairs.map(([[one, ms], [other, otherMs]]) => {
      const p = mannWhitney(ms, otherMs)
      return { names: [one.name, other.name], p, canBeTold: p < LEVEL, seenFromMs: seenFrom(ms, otherMs) }
    })
  }
}

/** The least delay, to a tenth of a millisecond, that shows when one kind has it and both are alike otherwise. */
function seenFrom (a: number[], b: number[]): number {
  const alike = b.map((ms) => ms + median(a) - median(b))
  let tenths = 1
  while (mannWhitney(a, alike.map((ms) => ms + tenths / 10)) >= LEVEL) tenths++
  return tenths / 10
}

/**
 * The two-sided p-value of the Mann-Whitney U test: how often samples of one and the same source would differ at least so
 * much in their ranks. By the normal approximation with its corrections for ties and continuity, so for 20 values and more
 * (Mann and Whitney 1947, doi:10.1214/aoms/1177730491).
 */
export function mannWhitney (a: number[], b: number[]): number {
  const [all, pairs] = [a.length + b.length, a.length * b.length]
  // of all pairs, those in which the value of `a` is the larger one; an equal pair counts half
  const u = wilcoxonRankSum(a, b) - a.length * (a.length + 1) / 2
  const counts = new Map<number, number>()
  for (const value of [...a, ...b]) counts.set(value, (counts.get(value) ?? 0) + 1)
  const ties = sum([...counts.values()].map((n) => n ** 3 - n))
  const variance = pairs / 12 * (all + 1 - ties / (all * (all - 1)))
  if (variance === 0) return 1
  return 1 - errorFunction(Math.max(0, Math.abs(u - pairs / 2) - 0.5) / Math.sqrt(2 * variance))
}
