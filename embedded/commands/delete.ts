import { fieldsOf } from '../bson.js'
import { MongoError } from '../errors.js'
import { parseFilter, type Selection } from '../filter.js'
import { afterPrefix, collectionPrefix } from '../keys.js'
import { checkKind, numberOf } from '../request.js'
import { distinctKeys } from '../scan.js'
import type { Storage } from '../storage.js'
import { ok, type Command } from './command.js'
import { checkBatch, writeErrorOf, type WriteError } from './write.js'

export const deleteCommand: Command = {
  fields: { deletes: 'array', ordered: 'boolean' },
  unsupported: ['let'],
  run: async (request, { storage }) => {
    const prefix = collectionPrefix(request.namespace())
    const deletes = request.documents('deletes')
    const ordered = request.boolean('ordered', true)
    checkBatch(deletes)
    const statements = deletes.map(parseDelete)
    const writeErrors: WriteError[] = []
    let n = 0
    for (const [index, { q, one }] of statements.entries()) {
      try {
        n += await remove(storage, prefix, parseFilter(q), one)
      } catch (error) {
        writeErrors.push(writeErrorOf(index, error))
        if (ordered) break
      }
    }
    return ok({ n, ...(writeErrors.length > 0 && { writeErrors }) })
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

async function remove (storage: Storage, prefix: Buffer, selection: Selection, one: boolean): Promise<number> {
  if (selection === 'all') return storage.removeRange(prefix, afterPrefix(prefix), one ? 1 : undefined)
  const keys = distinctKeys(prefix, selection)
  return storage.write(() => {
    const present = keys.filter(key => storage.get(key) !== undefined).slice(0, one ? 1 : undefined)
    for (const key of present) storage.remove(key)
    return present.length
  })
}
