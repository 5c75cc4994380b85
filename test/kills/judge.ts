import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './http.js'

/** A student as it is sent. */
export interface Fields {
  name: string
  email: string
  course: string
  gpa: number
}

/** A request with a key. Its emails are its own. */
export interface Keyed {
  key: string
  /** A batch makes several students. */
  isBatch: boolean
  students: Fields[]
}

/** A student as the API shows it. */
export interface Shown {
  id: string
  etag: string | undefined
}

/** What became of a request; `wait`: it is to be sent again. */
export type Outcome = 'cut' | 'wait' | 'answered' | 'wrong'

const CREATED = 201
const MULTI_STATUS = 207
const CONFLICT = 409
const UNAVAILABLE = 503

/** What an answer says to the first and to each further try. */
export function outcomeOf ({ isBatch }: Keyed, answer: Answer | undefined): Outcome {
  if (!answer) return 'cut'
  const { status, headers } = answer
  if (status === CONFLICT || status === UNAVAILABLE) return headers['retry-after'] === undefined ? 'wrong' : 'wait'
  if (!isBatch) return status === CREATED ? 'answered' : 'wrong'
  if (status !== MULTI_STATUS) return 'wrong'
  const results = resultsIn(answer).map((result) => result.status)
  if (results.every((each) => each === CREATED)) return 'answered'
  return results.every((each) => each === CREATED || each === UNAVAILABLE) ? 'wait' : 'wrong'
}

function resultsIn ({ body }: Answer): { status: number }[] {
  return (body as { results: { status: number }[] }).results // as each batch is answered
}

export function isReplayed ({ headers }: Answer): boolean {
  return headers['idempotent-replayed'] === 'true'
}

/** What differs between an answer and the first one of a request which made these students; nothing for the right one. */
export function differences ({ isBatch, students }: Keyed, shown: readonly Shown[], { status, headers, body }: Answer): string[] {
  const [only] = shown
  const expected = isBatch
    ? { status: MULTI_STATUS, location: undefined, etag: undefined, body: { results: shown.map((each) => ({ status: CREATED, ...each })), summary: { ok: students.length, failed: 0 } } }
    : { status: CREATED, location: `/students/${only?.id}`, etag: only?.etag, body: { id: only?.id, ...students[0] } }
  const actual = { status, location: headers.location, etag: headers.etag, body }
  return (Object.keys(expected) as (keyof typeof expected)[]).flatMap((name) =>
    isDeepStrictEqual(actual[name], expected[name]) ? [] : [`${name}: ${JSON.stringify(actual[name])} in place of ${JSON.stringify(expected[name])}`])
}

/** How often the students of a key are there, where that is not once each. */
export function wrongCounts ({ students }: Keyed, counts: ReadonlyMap<string, number>): string[] {
  return students.flatMap(({ email }) => {
    const count = counts.get(email) ?? 0
    return count === 1 ? [] : [`${email} is there ${count} times`]
  })
}

/** The students that no key made. */
export function strangers (requests: readonly Keyed[], counts: ReadonlyMap<string, number>): string[] {
  const due = new Set(requests.flatMap(({ students }) => students.map(({ email }) => email)))
  return [...counts.keys()].filter((email) => !due.has(email))
}

export function countEach (emails: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const email of emails) counts.set(email, (counts.get(email) ?? 0) + 1)
  return counts
}

/** What is wrong with the answers to one request that was sent many times at once: one makes the student, the others replay or wait. */
export function wrongTogether (answers: readonly (Answer | undefined)[]): string[] {
  const there = answers.filter((answer) => answer !== undefined)
  const firsts = there.filter((answer) => answer.status === CREATED && !isReplayed(answer))
  const replays = there.filter((answer) => answer.status === CREATED && isReplayed(answer))
  const waits = there.filter(({ status, headers }) => status === CONFLICT && headers['retry-after'] !== undefined)
  const found = firsts.length === 1 ? [] : [`${firsts.length} made it`]
  const others = answers.length - firsts.length - replays.length - waits.length
  if (others > 0) found.push(`${others} were neither a replay nor 409 with Retry-After`)
  const different = replays.filter(({ body }) => !isDeepStrictEqual(body, firsts[0]?.body))
  if (different.length > 0) found.push(`${different.length} replays differ from the first answer`)
  return found
}
