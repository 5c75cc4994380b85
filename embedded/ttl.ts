import { fieldsOf, types } from './bson.js'
import { dateKey, fittedKey } from './keys.js'

/** An ascending index on one field of the top level, by which documents expire. */
export interface TtlIndex {
  name: string
  field: string
  expireAfterSeconds: number
  /** Whether the documents that were there before the index have their entries. */
  built: boolean
}

/**
 * The key of a document's entry in the index at this place of its collection's list: by date, then by document.
 * Only dates make an entry, so what has none never expires; of an array the earliest counts (manual/core/index-ttl).
 */
export function entryOf (prefix: Buffer, place: number, field: string, key: Buffer, document: Buffer): Buffer | undefined {
  const found = fieldsOf(document).find(({ name }) => name === field)
  if (found === undefined) return
  const values = found.type === types.array ? fieldsOf(found.value) : [found]
  const [earliest] = values.filter(({ type }) => type === types.date).map(({ value }) => dateKey(value)).sort(Buffer.compare)
  return earliest && fittedKey(Buffer.concat([prefix, Buffer.from([place]), earliest, key.subarray(prefix.length)]))
}

/** Where the entries with a date up to this one lie, in ms since 1970. */
export function expiredEntries (prefix: Buffer, place: number, latest: number): { start: Buffer, end: Buffer } {
  const start = Buffer.concat([prefix, Buffer.from([place])])
  const next = Buffer.alloc(8)
  next.writeBigInt64LE(BigInt(latest) + 1n)
  return { start, end: Buffer.concat([start, dateKey(next)]) }
}
