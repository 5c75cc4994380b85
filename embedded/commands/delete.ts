import { fieldsOf } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter, type Selection } from '../filter.js'
import { planFor } from '../plan.js'
import { checkField, numberOf } from '../request.js'
import { Scan } from '../scan.js'
import { deleteStatement } from '../surface.js'
import type { Run } from './command.js'
import { checkBatch, writeErrorOf, writeReply, type WriteError } from './write.js'

export const deleteCommand: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  const deletes = request.documents('deletes')
  const ordered = request.boolean('ordered', true)
  checkBatch(deletes)
  const statements = deletes.map(parseDelete)
  const writeErrors: WriteError[] = []
  let n = 0
  for (const [index, { q, one }] of statements.entries()) {
    try {
      n += await remove(collection, parseFilter(q), one ? 1 : Infinity)
    } catch (error) {
      writeErrors.push(writeErrorOf(index, error))
      if (ordered) break
    }
  }
  return writeReply(n, writeErrors)
}

interface Statement {
  q: Buffer
  one: boolean
}

/** { q: filter, limit: 0 for all or 1 } */
function parseDelete (statement: Buffer): Statement {
  const fields = fieldsOf(statement)
  for (const field of fields) checkField('delete.deletes', field, deleteStatement)
  const { q, limit } = Object.fromEntries(fields.map(field => [field.name, field]))
  if (q === undefined || limit === undefined) throw new MongoError('IDLFailedToParse', "BSON field 'delete.deletes.q' or 'limit' is missing but a required field")
  const maximum = numberOf(limit)
  if (maximum !== 0 && maximum !== 1) throw new MongoError('FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${maximum}`)
  return { q: q.value, one: maximum === 1 }
}

/** Some documents in each transaction, so that other writes get in between; MongoDB does not delete many as one either. */
async function remove (collection: Collection, selection: Selection, limit = Infinity): Promise<number> {
  const scan = new Scan(collection, selection, { limit, path: planFor(collection, selection, []).path })
  let removed = 0
  while (!scan.done) {
    removed += await collection.write(() => {
      const found = scan.slice()
      for (const { key } of found) collection.remove(key)
      return found.length
    })
  }
  return removed
}
