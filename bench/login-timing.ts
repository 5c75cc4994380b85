import { randomBytes } from 'node:crypto'
import { connect } from '../lib/mongodb/connect.js'
import { newPassword } from '../lib/access/passwords.js'
import { documentId } from '../lib/users/user-store.js'
import { USERPROFILE_DOC_TYPE, type StoredUser } from '../schemas/user.js'
import { startOurs, type Surroundings } from './servers.js'
import { mannWhitney, median } from './statistics.js'

const SAMPLES = 300
/** The first logins of each kind, which are not counted: connections open, code compiles. */
const WARM_UP = 20
/** All three comparisons together call a difference by mistake in less than one run of a hundred. */
const LEVEL = 0.01 / 3
const PASSWORD = 'correct horse battery staple'

/** Failed logins that nobody may tell apart, with what each sends as its password. */
const KINDS = [
  { name: 'unknown user', prefix: 'a', isStored: false, disabled: false, password: PASSWORD },
  { name: 'wrong password', prefix: 'b', isStored: true, disabled: false, password: 'wrong horse battery staple' },
  { name: 'disabled user, right password', prefix: 'c', isStored: true, disabled: true, password: PASSWORD }
] as const

type Kind = typeof KINDS[number]

export interface LoginTiming {
  kinds: { name: string, samples: number, medianMs: number }[]
  comparisons: Comparison[]
}

export interface Comparison {
  names: [string, string]
  p: number
  canBeTold: boolean
  /** A difference so large would have been seen, if every login of one kind had it. */
  seenFromMs: number
}

/** Times failed logins of three kinds, interleaved, on ours with access control, and compares them two by two. */
export async function timeLogins (around: Surroundings): Promise<LoginTiming> {
  const database = `${around.database}_logins`
  const client = await connect(around.url)
  await client.db(database).collection<StoredUser & { _id: string }>('users').insertMany(await storedUsers())
  const env = { AUTH: 'on', JWT_SECRET: randomBytes(32).toString('base64'), TRUST_PROXY: 'loopback' }
  const server = await startOurs({ ...around, database }, { env })
  try {
    return compare(await timesOf(server.url))
  } finally {
    await server.stop()
    await client.db(database).dropDatabase()
    await client.close()
  }
}

/** An account for each login: the first that fails on it, so that no count of earlier ones plays a part. */
const nameOf = ({ prefix }: Kind, n: number) => `${prefix}${String(n).padStart(5, '0')}`

async function storedUsers () {
  const hash = await newPassword(PASSWORD)
  return KINDS.filter(({ isStored }) => isStored).flatMap((kind) => Array.from({ length: WARM_UP + SAMPLES }, (_, n) => {
    const username = nameOf(kind, n)
    return { _id: documentId(username), type: USERPROFILE_DOC_TYPE, username, disabled: kind.disabled, scopes: [], ...hash }
  }))
}

async function timesOf (url: string): Promise<Map<Kind, number[]>> {
  const times = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]))
  const answers = new Set<string>()
  for (let n = 0; n < WARM_UP + SAMPLES; n++) {
    for (const kind of inTurn(n)) {
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

/** The kinds in all their orders, one after the other, so that none comes always first or after the same one. */
function inTurn (n: number): Kind[] {
  const rotated = [...KINDS.slice(n % 3), ...KINDS.slice(0, n % 3)]
  return n % 6 < 3 ? rotated : rotated.reverse()
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

function compare (times: Map<Kind, number[]>): LoginTiming {
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
