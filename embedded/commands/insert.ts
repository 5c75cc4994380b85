import { EJSON, ObjectId, deserialize } from 'bson'
import { documentOf, fieldsOf, maxDocumentBytes, types, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { documentKey } from '../keys.js'
import type { Run } from './command.js'
import { checkBatch, writeErrorOf, writeReply, type WriteError } from './write.js'

/** Documents per transaction, so that a large insert lets other writes in between. MongoDB does not insert a batch as one either. */
const sliceLength = 1000

const forbiddenIds = new Map<number, string>([[types.array, 'array'], [types.regex, 'regex'], [types.undefined, 'undefined']])

interface Prepared {
  key: Buffer
  id: Field
  document: Buffer
}

export const insert: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  const documents = request.documents('documents')
  const ordered = request.boolean('ordered', true)
  checkBatch(documents)
  const writeErrors: WriteError[] = []
  let inserted = 0
  for (let first = 0; first < documents.length; first += sliceLength) {
    const slice = documents.slice(first, first + sliceLength)
    inserted += await collection.write(() => insertAll(collection, { slice, first, ordered, writeErrors }))
    if (ordered && writeErrors.length > 0) break
  }
  return writeReply(inserted, writeErrors)
}

interface Batch {
  slice: Buffer[]
  first: number
  ordered: boolean
  writeErrors: WriteError[]
}

function insertAll (collection: Collection, { slice, first, ordered, writeErrors }: Batch): number {
  let inserted = 0
  for (const [index, document] of slice.entries()) {
    try {
      insertOne(collection, prepare(collection.prefix, document))
      inserted++
    } catch (error) {
      writeErrors.push(writeErrorOf(first + index, error))
      if (ordered) break
    }
  }
  return inserted
}

function insertOne (collection: Collection, { key, id, document }: Prepared): void {
  if (collection.get(key) !== undefined) throw duplicate(collection.namespace, id)
  collection.put(key, document)
}

/** The document as it is stored, with its `_id` first, and the key it goes under. */
function prepare (prefix: Buffer, document: Buffer): Prepared {
  if (document.length > maxDocumentBytes) {
    throw new MongoError('BadValue', `object to insert too large. size in bytes: ${document.length}, max size: ${maxDocumentBytes}`)
  }
  const fields = fieldsOf(document)
  const [id = newId(), ...more] = fields.filter(({ name }) => name === '_id')
  if (more.length > 0) throw new MongoError('BadValue', "can't have multiple _id fields in one document")
  checkId(id)
  const stored = fields[0] === id ? document : documentOf([id, ...fields.filter(field => field !== id)])
  return { key: documentKey(prefix, id), id, document: stored }
}

function newId (): Field {
  return { name: '_id', type: types.objectId, value: Buffer.from(new ObjectId().id) }
}

export function checkId ({ type, value }: Field): void {
  const forbidden = forbiddenIds.get(type)
  if (forbidden !== undefined) throw new MongoError('InvalidIdField', `The '_id' value cannot be of type ${forbidden}`)
  const operator = type === types.object && fieldsOf(value).find(({ name }) => name.startsWith('$'))
  if (operator) throw new MongoError('BadValue', `_id fields may not contain '$'-prefixed fields: ${operator.name} is not valid for storage.`)
}

export function duplicate (namespace: string, id: Field): MongoError {
  const keyValue = deserialize(documentOf([id]), { promoteValues: false })
  return new MongoError('DuplicateKey', `E11000 duplicate key error collection: ${namespace} index: _id_ dup key: { _id: ${shown(id)} }`, {
    keyPattern: { _id: 1 }, keyValue
  })
}

/** The value about as MongoDB's messages show it. */
function shown (id: Field): string {
  if (id.type === types.objectId) return `ObjectId('${id.value.toString('hex')}')`
  return EJSON.stringify(deserialize(documentOf([id]))._id)
}
