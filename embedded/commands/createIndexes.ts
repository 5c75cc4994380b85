import { fieldsOf, text, types, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { everything } from '../filter.js'
import { checkField, numberOf } from '../request.js'
import { Scan } from '../scan.js'
import { indexOptions } from '../surface.js'
import type { TtlIndex } from '../ttl.js'
import { ok, type Run } from './command.js'

/** MongoDB's documented limit is 64 a collection, with that on `_id`. */
const maxIndexes = 63
const maxSeconds = 2 ** 31 - 1

/** Takes indexes by which documents expire, and no others: `_id` is how documents are found here. */
export const createIndexes: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  const wanted = request.documents('indexes').map(parseIndex)
  if (wanted.length === 0) throw new MongoError('BadValue', 'Must specify at least one index to create')
  const { existed, before, after } = await collection.write(() => register(collection, wanted))
  const createdCollectionAutomatically = !existed
  const counts = { numIndexesBefore: 1 + before.filter(({ built }) => built).length, numIndexesAfter: 1 + after.length }
  const missing = after.filter(({ built }) => !built).map(({ name }) => name)
  if (missing.length === 0) return ok({ ...counts, createdCollectionAutomatically, note: 'all indexes already exist' })
  await build(collection, missing)
  return ok({ ...counts, createdCollectionAutomatically })
}

/** Adds the indexes to the collection. From then on writes keep them; what was written before has no entries yet. */
function register (collection: Collection, wanted: TtlIndex[]): { existed: boolean, before: TtlIndex[], after: TtlIndex[] } {
  const { exists: existed, indexes: before } = collection
  const after = [...before]
  for (const index of wanted) if (!isKnown(index, after)) after.push(index)
  if (after.length > maxIndexes) throw new MongoError('CannotCreateIndex', `add index fails, too many indexes for ${collection.namespace}`)
  if (after.length > before.length) collection.save(after)
  return { existed, before, after }
}

function isKnown (index: TtlIndex, indexes: TtlIndex[]): boolean {
  const namesake = indexes.find(({ name }) => name === index.name)
  const equivalent = indexes.find(({ field }) => field === index.field)
  if (namesake !== undefined && namesake !== equivalent) {
    throw new MongoError('IndexKeySpecsConflict', `An existing index has the same name as the requested index: '${index.name}'`)
  }
  if (equivalent === undefined) return false
  if (namesake === equivalent && equivalent.expireAfterSeconds === index.expireAfterSeconds) return true
  throw new MongoError('IndexOptionsConflict', `An equivalent index already exists with a different name or options: '${equivalent.name}'`)
}

/** Gives the documents that are stored their entries, some in each transaction. A crash on the way leaves the index unbuilt, for the next call to build. */
async function build (collection: Collection, names: string[]): Promise<void> {
  const scan = new Scan(collection, everything)
  while (!scan.done) {
    await collection.write(() => {
      for (const { key, value } of scan.slice()) collection.index(key, value)
    })
  }
  await collection.write(() => {
    if (collection.exists) collection.save(collection.indexes.map(index => names.includes(index.name) ? { ...index, built: true } : index))
  })
}

/** { key: { field: 1 }, name, expireAfterSeconds } */
function parseIndex (spec: Buffer): TtlIndex {
  const options = fieldsOf(spec)
  for (const option of options) checkField('createIndexes.indexes', option, indexOptions)
  const { key, name, expireAfterSeconds } = Object.fromEntries(options.map(field => [field.name, field]))
  if (key === undefined) throw new MongoError('FailedToParse', "The 'key' field is a required property of an index specification")
  if (name === undefined) throw new MongoError('FailedToParse', "The 'name' field is a required property of an index specification")
  if (name.value.length === 5) throw new MongoError('CannotCreateIndex', 'The index name cannot be empty')
  if (expireAfterSeconds === undefined) throw new MongoError('CommandNotSupported', 'The embedded store serves indexes with expireAfterSeconds only')
  return { name: text(name.value), field: fieldOf(key.value), expireAfterSeconds: secondsOf(expireAfterSeconds), built: false }
}

function fieldOf (key: Buffer): string {
  const [field, other] = fieldsOf(key)
  if (field === undefined) throw new MongoError('CannotCreateIndex', 'Index keys cannot be empty.')
  if (other !== undefined) throw new MongoError('CannotCreateIndex', 'TTL indexes are single-field indexes, compound indexes do not support TTL')
  const { name } = field
  if (name === '' || name.startsWith('$')) throw new MongoError('CannotCreateIndex', `Index keys cannot be an empty field nor begin with a dollar: '${name}'`)
  if (name === '_id') throw new MongoError('InvalidIndexSpecificationOption', "The field 'expireAfterSeconds' is not valid for an _id index specification")
  if (name.includes('.') || !isOne(field)) throw new MongoError('CommandNotSupported', 'The embedded store serves ascending indexes on fields of the top level only')
  return name
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
