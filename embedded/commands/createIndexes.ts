import { randomUUID } from 'node:crypto'
import { fieldsOf, text, types, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { everything } from '../filter.js'
import type { Index } from '../indexes.js'
import { mainPath, type Path } from '../plan.js'
import { checkField, numberOf } from '../request.js'
import { Scan } from '../scan.js'
import { indexOptions } from '../surface.js'
import { ok, type Run } from './command.js'

/** MongoDB's documented limit is 64 a collection, with that on `_id`. */
const maxIndexes = 63
const maxSeconds = 2 ** 31 - 1

/** Takes indexes by which documents expire, and those on a field and then `_id`, by which they are found and sorted. */
export const createIndexes: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  const wanted = request.documents('indexes').map(parseIndex)
  if (wanted.length === 0) throw new MongoError('BadValue', 'Must specify at least one index to create')
  const { existed, before, after } = await collection.write(() => register(collection, wanted))
  const createdCollectionAutomatically = !existed
  const counts = { numIndexesBefore: 1 + before.filter(({ built }) => built).length, numIndexesAfter: 1 + after.length }
  const missing = after.flatMap(({ token }) => token ?? [])
  if (missing.length === 0) return ok({ ...counts, createdCollectionAutomatically, note: 'all indexes already exist' })
  await build(collection, missing)
  return ok({ ...counts, createdCollectionAutomatically })
}

/** Adds the indexes to the collection. From then on writes keep them; what was written before has no entries yet. */
function register (collection: Collection, wanted: Index[]): { existed: boolean, before: Index[], after: Index[] } {
  const { exists: existed, indexes: before } = collection
  const known = [...before]
  for (const index of wanted) if (!isKnown(index, known)) known.push(index)
  const after = known.map(index => index.built || index.token !== undefined ? index : { ...index, token: randomUUID() })
  if (after.length > maxIndexes) throw new MongoError('CannotCreateIndex', `add index fails, too many indexes for ${collection.namespace}`)
  if (after.some((index, place) => index !== before[place])) collection.save(after)
  return { existed, before, after }
}

function isKnown (index: Index, indexes: Index[]): boolean {
  const namesake = indexes.find(({ name }) => name === index.name)
  const equivalent = indexes.find(other => other.field === index.field && isSorting(other) === isSorting(index))
  if (namesake !== undefined && namesake !== equivalent) {
    throw new MongoError('IndexKeySpecsConflict', `An existing index has the same name as the requested index: '${index.name}'`)
  }
  if (equivalent === undefined) return false
  if (namesake === equivalent && equivalent.expireAfterSeconds === index.expireAfterSeconds) return true
  throw new MongoError('IndexOptionsConflict', `An equivalent index already exists with a different name or options: '${equivalent.name}'`)
}

function isSorting ({ expireAfterSeconds }: Index): boolean {
  return expireAfterSeconds === undefined
}

/**
 * Gives the documents that are stored their entries, some in each transaction, which also says how far it came: after a crash the next call goes on there.
 * Meanwhile writes keep the entries of what they change, wherever it stands.
 */
async function build (collection: Collection, tokens: string[]): Promise<void> {
  const scan = new Scan(collection, everything, { path: pathToBuild(collection, tokens) })
  while (!scan.done) {
    await collection.write(() => {
      const slice = scan.slice()
      for (const { key, value } of slice) collection.index(key, value, tokens)
      mark(collection, tokens, { position: slice.at(-1)?.key.toString('hex') })
    })
  }
  await collection.write(() => mark(collection, tokens, { built: true, token: undefined, position: undefined }))
}

/** What no earlier build of all these indexes came to. */
function pathToBuild (collection: Collection, tokens: string[]): Path {
  const path = mainPath(collection, everything.filter)
  const positions = collection.known.filter(({ token = '' }) => tokens.includes(token)).map(({ position = '' }) => Buffer.from(position, 'hex'))
  const [first] = positions.sort(Buffer.compare)
  if (first === undefined || first.length === 0) return path
  return { ...path, ranges: path.ranges.map(range => ({ ...range, start: first })) }
}

/** Writes down what is new of these indexes; of a collection that is gone, nothing. */
function mark (collection: Collection, tokens: string[], news: Partial<Index>): void {
  if (collection.exists) collection.save(collection.indexes.map(index => tokens.includes(index.token ?? '') ? { ...index, ...news } : index))
}

/** { key: { field: 1 }, name, expireAfterSeconds }, or { key: { field: 1, _id: 1 }, name } */
function parseIndex (spec: Buffer): Index {
  const options = fieldsOf(spec)
  for (const option of options) checkField('createIndexes.indexes', option, indexOptions)
  const { key, name, expireAfterSeconds } = Object.fromEntries(options.map(field => [field.name, field]))
  if (key === undefined) throw new MongoError('FailedToParse', "The 'key' field is a required property of an index specification")
  if (name === undefined) throw new MongoError('FailedToParse', "The 'name' field is a required property of an index specification")
  if (name.value.length === 5) throw new MongoError('CannotCreateIndex', 'The index name cannot be empty')
  const index = { name: text(name.value), field: fieldOf(key.value, expireAfterSeconds !== undefined), built: false }
  return expireAfterSeconds === undefined ? index : { ...index, expireAfterSeconds: secondsOf(expireAfterSeconds) }
}

function fieldOf (key: Buffer, expires: boolean): string {
  const [field, second, third] = fieldsOf(key)
  if (field === undefined) throw new MongoError('CannotCreateIndex', 'Index keys cannot be empty.')
  if (expires && second !== undefined) throw new MongoError('CannotCreateIndex', 'TTL indexes are single-field indexes, compound indexes do not support TTL')
  const { name } = field
  if (name === '' || name.startsWith('$')) throw new MongoError('CannotCreateIndex', `Index keys cannot be an empty field nor begin with a dollar: '${name}'`)
  if (expires && name === '_id') throw new MongoError('InvalidIndexSpecificationOption', "The field 'expireAfterSeconds' is not valid for an _id index specification")
  const isServed = expires || (name !== '_id' && second?.name === '_id' && isOne(second) && third === undefined)
  if (isServed && !name.includes('.') && isOne(field)) return name
  throw new MongoError('CommandNotSupported', 'The embedded store serves ascending indexes on one field of the top level, by which documents expire or that has _id behind it')
}

function isOne (field: Field): boolean {
  return isPlainNumber(field) && numberOf(field) === 1
}

function secondsOf (field: Field): number {
  const seconds = isPlainNumber(field) ? numberOf(field) : NaN
  if (seconds >= 0 && seconds <= maxSeconds) return seconds
  throw new MongoError('CannotCreateIndex', `TTL index 'expireAfterSeconds' option must be within an acceptable range: 0 to ${maxSeconds}`)
}

function isPlainNumber ({ type }: Field): boolean {
  return type === types.double || type === types.int32 || type === types.int64
}
