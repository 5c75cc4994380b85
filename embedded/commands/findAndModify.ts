import { serialize } from 'bson'
import { append, documentOf, types, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { equalities, parseFilter, type Selection } from '../filter.js'
import { documentKey } from '../keys.js'
import type { Request } from '../request.js'
import { Scan } from '../scan.js'
import type { Entry } from '../table.js'
import { applyUpdate, parseUpdate, type Update } from '../update.js'
import { ok, type Run } from './command.js'
import { checkId, duplicate } from './insert.js'

interface Modification {
  selection: Selection
  update: Update
  upsert: boolean
}

interface Outcome {
  before?: Buffer | undefined
  after?: Buffer | undefined
  /** The `_id` of a document that was not there before. */
  upserted?: Field | undefined
}

export const findAndModify: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  if (request.boolean('remove', false)) throw new MongoError('CommandNotSupported', 'The embedded store does not support findAndModify with remove')
  const selection = parseFilter(request.required('query', 'object').value)
  if (selection.ids === undefined) throw new MongoError('CommandNotSupported', 'The embedded store modifies documents by _id only')
  const modification = { selection, update: parseUpdate(updateOf(request)), upsert: request.boolean('upsert', false) }
  const { before, after, upserted } = await collection.write(() => modify(collection, modification))
  return reply({ before, after, upserted }, request.boolean('new', false) ? after : before)
}

/** MongoDB has an error of its own for this one. */
function updateOf (request: Request): Field {
  const update = request.fields.get('update')
  if (update === undefined) throw new MongoError('FailedToParse', 'Either an update or remove=true must be specified')
  return update
}

function modify (collection: Collection, { selection, update, upsert }: Modification): Outcome {
  const found = first(new Scan(collection, selection, { limit: 1 }))
  if (found === undefined) return upsert ? insert(collection, selection, update) : {}
  const after = applyUpdate(found.value, update)
  if (after !== undefined) collection.put(found.key, after)
  return { before: found.value, after: after ?? found.value }
}

/** A scan looks at some documents in a turn; a change is made in one. */
export function first (scan: Scan): Entry | undefined {
  while (!scan.done) {
    const [found] = scan.slice()
    if (found !== undefined) return found
  }
}

/** The new document has what the filter says, then what the update does. */
function insert (collection: Collection, { ids: [id, other] = [], filter }: Selection, update: Update): Outcome {
  if (id === undefined || other !== undefined) throw new MongoError('CommandNotSupported', 'The embedded store does not upsert by a list of _ids')
  const upserted = { ...id, name: '_id' }
  checkId(upserted)
  const fields = equalities(filter).toSorted(byName).filter(({ name }) => name !== '_id')
  const start = documentOf([upserted, ...fields])
  const document = applyUpdate(start, update, true) ?? start
  const key = documentKey(collection.prefix, upserted)
  if (collection.get(key) !== undefined) throw duplicate(collection.namespace, upserted)
  collection.put(key, document)
  return { after: document, upserted }
}

/** In MongoDB, too, the fields of the filter come into a new document by name. */
function byName (a: Field, b: Field): number {
  const order = Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
  if (order === 0) throw new MongoError('NotSingleValueField', `cannot infer query fields to set, path '${a.name}' is matched twice`)
  return order
}

function reply ({ before, after, upserted }: Outcome, value: Buffer | undefined): Uint8Array {
  const outcome = serialize({ n: after === undefined ? 0 : 1, updatedExisting: before !== undefined })
  const lastErrorObject = upserted === undefined ? outcome : append(outcome, upserted.type, 'upserted', upserted.value)
  const described = append(ok(), types.object, 'lastErrorObject', lastErrorObject)
  return value === undefined ? append(described, types.null, 'value', Buffer.alloc(0)) : append(described, types.object, 'value', value)
}
