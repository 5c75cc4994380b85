import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './http.js'
import type { RowFile } from './file.js'

/** What became of the rows of a file: how many are there more than once, not at all, or without being due. */
export interface Tally {
  twice: number
  missing: number
  strange: number
}

export function tally ({ valid }: RowFile, counts: ReadonlyMap<string, number>): Tally {
  const missing = [...valid].filter((email) => !counts.has(email)).length
  const strange = [...counts.keys()].filter((email) => !valid.has(email)).length
  const twice = [...counts.values()].filter((count) => count > 1).length
  return { twice, missing, strange }
}

/** What an import says that is to be sent again: the file is being worked on, or the database is away. */
export function isToComeAgain ({ status, headers }: Answer): boolean {
  return (status === 409 && headers['retry-after'] !== undefined) || status === 503
}

/** What is wrong with the summary of an import. */
export function wrongSummary ({ rows, valid, faulty }: RowFile, { status, body }: Answer): string[] {
  if (status !== 200) return [`was answered ${status} ${JSON.stringify(body)}`]
  const { faults = [], ...counts } = body as { faults?: { row?: number }[] } // as an import is answered
  const expected = { rows, created: valid.size, failed: faulty.length }
  const told = faults.map(({ row }) => row)
  return [
    ...isDeepStrictEqual(counts, expected) ? [] : [`was answered ${JSON.stringify(counts)} in place of ${JSON.stringify(expected)}`],
    ...isDeepStrictEqual(told, faulty) ? [] : [`faults in rows ${told.join(' ')} in place of ${faulty.join(' ')}`]
  ]
}

/** What is wrong with the answer to a file that has been imported. */
export function wrongReplay (first: Answer, replay: Answer | undefined): string[] {
  if (!replay) return ['the replay was not answered']
  const isSame = replay.status === first.status && isDeepStrictEqual(replay.body, first.body)
  return [
    ...isSame ? [] : [`the replay was ${replay.status} ${JSON.stringify(replay.body)}`],
    ...replay.headers['idempotent-replayed'] === 'true' ? [] : ['the replay had no Idempotent-Replayed']
  ]
}
