import { fieldNamed, fieldsOf, types } from './bson.js'
import { dateKey, indexPrefix } from './keys.js'

/** The date by which a document expires. Only dates make an entry, so what has none never expires; of an array the earliest counts (manual/core/index-ttl). */
export function expiryKey (field: string, document: Buffer): Buffer | undefined {
  const found = fieldNamed(document, field)
  if (found === undefined) return
  const values = found.type === types.array ? fieldsOf(found.value) : [found]
  const [earliest] = values.filter(({ type }) => type === types.date).map(({ value }) => dateKey(value)).sort(Buffer.compare)
  return earliest
}

/** Where the entries with a date up to this one lie, in ms since 1970. */
export function expiredEntries (prefix: Buffer, place: number, latest: number): { start: Buffer, end: Buffer } {
  const start = indexPrefix(prefix, place)
  const next = Buffer.alloc(8)
  next.writeBigInt64LE(BigInt(latest) + 1n)
  return { start, end: Buffer.concat([start, dateKey(next)]) }
}
