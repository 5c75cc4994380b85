import { fieldNamed, types } from './bson.js'
import { nothing } from './compare.js'
import { fittedKey, indexPrefix, rankOf, valueKey } from './keys.js'
import { expiryKey } from './ttl.js'

/** An ascending index on one field of the top level: by which documents expire, or else on that field and then `_id`, by which they are found and sorted. */
export interface Index {
  name: string
  field: string
  expireAfterSeconds?: number
  /** Whether the documents that were there before the index have their entries. */
  built: boolean
  /** While it is built: what tells it from one of the same name in a collection that was dropped and made anew. */
  token?: string | undefined
  /** While it is built: the key, in hex, up to which documents have them. */
  position?: string | undefined
}

/** The key of a document's entry in the index at this place of its collection's list: what is indexed of it, then the document. */
export function entryOf (prefix: Buffer, place: number, index: Index, key: Buffer, document: Buffer): Buffer | undefined {
  const indexed = index.expireAfterSeconds === undefined ? sortedBy(index.field, document) : expiryKey(index.field, document)
  return indexed && fittedKey(Buffer.concat([indexPrefix(prefix, place), indexed, key.subarray(prefix.length)]))
}

/** A value's key. What is missing is as null; arrays are kept apart, at their rank, and in no order but that of their documents. */
export function sortedBy (field: string, document: Buffer): Buffer {
  const found = fieldNamed(document, field) ?? nothing
  return found.type === types.array ? arrayKey : valueKey(found)
}

const arrayKey = Buffer.of(rankOf(types.array))

/** As createIndexes takes it and listIndexes gives it. */
export function specOf ({ name, field, expireAfterSeconds }: Index): object {
  if (expireAfterSeconds !== undefined) return { v: 2, key: { [field]: 1 }, name, expireAfterSeconds }
  return { v: 2, key: { [field]: 1, _id: 1 }, name }
}
