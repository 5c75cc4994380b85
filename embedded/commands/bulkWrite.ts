import { serialize } from 'bson'
import { append, fieldsOf, text, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { checkField, checkNamespace, numberOf, type Request } from '../request.js'
import { Scan } from '../scan.js'
import type { Storage } from '../storage.js'
import { bulkNamespace, bulkStatements } from '../surface.js'
import { applyUpdate, parseUpdate } from '../update.js'
import { cursorReply, type Run } from './command.js'
import { first } from './findAndModify.js'
import { checkBatch, writeErrorOf } from './write.js'

/** Operations per transaction, so that a large bulk lets other writes in between. MongoDB does not take it as one either. */
const sliceLength = 1000

interface Statement {
  collection: Collection
  filter: Field
  /** Without one, the document is deleted. */
  update?: Field
}

/** What became of an operation. */
interface Result {
  ok: 0 | 1
  idx: number
  n: number
  nModified?: number
  code?: number
  errmsg?: string
}

/** Updates and deletes of one document each, by `_id`, as MongoDB 8.0 takes them in one command (reference/command/bulkWrite). */
export const bulkWrite: Run = async (request, { storage }) => {
  if (request.database !== 'admin') throw new MongoError('Unauthorized', 'bulkWrite may only be run against the admin database.')
  const operations = request.documents('ops')
  checkBatch(operations)
  const collections = request.documents('nsInfo').map(info => collectionOf(info, storage))
  const isOrdered = request.boolean('ordered', true)
  const statements = operations.map(operation => parse(operation, collections))
  const results: Result[] = []
  for (let from = 0; from < statements.length; from += sliceLength) {
    const slice = statements.slice(from, from + sliceLength)
    await storage.write(() => runAll(slice, from, isOrdered, results))
    if (isOrdered && results.some(({ ok }) => ok === 0)) break
  }
  return reply(request, results, statements)
}

function collectionOf (info: Buffer, storage: Storage): Collection {
  const fields = fieldsOf(info)
  for (const field of fields) checkField('bulkWrite.nsInfo', field, bulkNamespace)
  const ns = fields.find(({ name }) => name === 'ns')
  if (ns === undefined) throw new MongoError('IDLFailedToParse', "BSON field 'bulkWrite.nsInfo.ns' is missing but a required field")
  return new Collection(storage, checkNamespace(text(ns.value)))
}

function parse (operation: Buffer, collections: Collection[]): Statement {
  const fields = fieldsOf(operation)
  const [kind] = fields
  if (kind?.name !== 'update' && kind?.name !== 'delete') {
    throw new MongoError(kind?.name === 'insert' ? 'CommandNotSupported' : 'FailedToParse', `The embedded store does not support ${kind?.name} in a bulkWrite`)
  }
  for (const field of fields) checkField(`bulkWrite.ops.${kind.name}`, field, bulkStatements[kind.name])
  const { filter, multi, updateMods } = Object.fromEntries<Field | undefined>(fields.map(field => [field.name, field]))
  const collection = collections[numberOf(kind)]
  if (collection === undefined) throw new MongoError('BadValue', `BulkWrite ops entry ${kind.name} has an invalid nsInfo index.`)
  if (filter === undefined) throw new MongoError('IDLFailedToParse', "BSON field 'bulkWrite.ops.filter' is missing but a required field")
  if (multi?.value[0] === 1) throw new MongoError('CommandNotSupported', 'The embedded store takes no bulkWrite of many documents at a time')
  if (kind.name === 'delete') return { collection, filter }
  if (updateMods === undefined) throw new MongoError('IDLFailedToParse', "BSON field 'bulkWrite.ops.updateMods' is missing but a required field")
  return { collection, filter, update: updateMods }
}

function runAll (slice: Statement[], from: number, isOrdered: boolean, results: Result[]): void {
  for (const [index, statement] of slice.entries()) {
    const idx = from + index
    try {
      results.push({ ok: 1, idx, ...run(statement) })
    } catch (error) {
      const { code, errmsg } = writeErrorOf(idx, error)
      results.push({ ok: 0, idx, code, errmsg, n: 0 })
      if (isOrdered) return
    }
  }
}

function run ({ collection, filter, update }: Statement): Pick<Result, 'n' | 'nModified'> {
  const selection = parseFilter(filter.value)
  if (selection.ids === undefined) throw new MongoError('CommandNotSupported', 'The embedded store modifies documents by _id only')
  const changes = update && parseUpdate(update)
  return collection.within(() => {
    const found = first(new Scan(collection, selection, { limit: 1 }))
    if (changes === undefined) {
      if (found !== undefined) collection.remove(found.key)
      return { n: found === undefined ? 0 : 1 }
    }
    const after = found && applyUpdate(found.value, changes)
    if (found !== undefined && after !== undefined) collection.put(found.key, after)
    return { n: found === undefined ? 0 : 1, nModified: after === undefined ? 0 : 1 }
  })
}

function reply (request: Request, results: Result[], statements: Statement[]): Uint8Array {
  const isOnlyErrors = request.boolean('errorsOnly', false)
  const shown = results.filter(({ ok }) => ok === 0 || !isOnlyErrors).map(result => Buffer.from(serialize(result)))
  const sum = (count: (result: Result) => number) => results.reduce((total, result) => total + count(result), 0)
  const isUpdate = ({ idx }: Result) => statements[idx]?.update !== undefined
  const counts = serialize({
    nErrors: sum(({ ok }) => 1 - ok),
    nInserted: 0,
    nMatched: sum(result => isUpdate(result) ? result.n : 0),
    nModified: sum(({ nModified = 0 }) => nModified),
    nUpserted: 0,
    nDeleted: sum(result => isUpdate(result) ? 0 : result.n)
  })
  const cursor = cursorReply('admin.$cmd.bulkWrite', 0n, 'firstBatch', shown)
  return fieldsOf(Buffer.from(counts)).reduce((document, { type, name, value }) => append(document, type, name, value), cursor)
}
