import { fieldsOf } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter, type Selection } from '../filter.js'
import { checkKind, numberOf } from '../request.js'
import { Scan } from '../scan.js'
import type { Command } from './command.js'
import { checkBatch, writeErrorOf, writeReply, type WriteError } from './write.js'

export const deleteCommand: Command = {
  fields: { deletes: 'array', ordered: 'boolean' },
  unsupported: ['let'],
  run: async (request, { storage }) => {
    const collection = new Collection(storage, request.namespace())
    const deletes = request.documents('deletes')
    const ordered = request.boolean('ordered', true)
    checkBatch(deletes)
    const statements = deletes.map(parseDelete)
    const writeErrors: WriteError[] = []
    let n = 0
    for (const [index, { q, one }] of statements.entries()) {
      try {
        n += await remove(collection, parseFilter(q), one ? 1 : undefined)
      } catch (error) {
        writeErrors.push(writeErrorOf(index, error))
        if (ordered) break
      }
    }
    return writeReply(n, writeErrors)
  }
}

interface Statement {
  q: Buffer
  one: boolean
}

/** { q: filter, limit: 0 for all or 1 } */
function parseDelete (statement: Buffer): Statement {
  const { q, limit, ...others } = Object.fromEntries(fieldsOf(statement).map(field => [field.name, field]))
  const [other] = Object.keys(others)
  if (other === 'collation' || other === 'hint') throw new MongoError('CommandNotSupported', `The embedded store does not support delete with ${other}`)
  if (other !== undefined) throw new MongoError('IDLUnknownField', `BSON field 'delete.deletes.${other}' is an unknown field.`)
  if (q === undefined || limit === undefined) throw new MongoError('IDLFailedToParse', "BSON field 'delete.deletes.q' or 'limit' is missing but a required field")
  checkKind('delete.deletes', q, 'object')
  checkKind('delete.deletes', limit, 'number')
  const maximum = numberOf(limit)
  if (maximum !== 0 && maximum !== 1) throw new MongoError('FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${maximum}`)
  return { q: q.value, one: maximum === 1 }
}

/** Some documents in each transaction, so that other writes get in between; MongoDB does not delete many as one either. */
async function remove (collection: Collection, selection: Selection, limit?: number): Promise<number> {
  const scan = new Scan(collection, selection, { limit })
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
