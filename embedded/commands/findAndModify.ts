import { append, types } from '../bson.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { collectionPrefix } from '../keys.js'
import { distinctKeys } from '../scan.js'
import type { Storage } from '../storage.js'
import { applyChanges, parseUpdate, type Changes } from '../update.js'
import { ok, type Command } from './command.js'

export const findAndModify: Command = {
  fields: { query: 'object', update: 'any', new: 'boolean', remove: 'boolean', upsert: 'boolean', bypassDocumentValidation: 'boolean' },
  unsupported: ['sort', 'fields', 'hint', 'collation', 'arrayFilters', 'let'],
  run: async (request, { storage }) => {
    const namespace = request.namespace()
    if (request.boolean('remove', false)) throw new MongoError('CommandNotSupported', 'The embedded store does not support findAndModify with remove')
    if (request.boolean('upsert', false)) throw new MongoError('CommandNotSupported', 'The embedded store does not support upsert')
    const selection = parseFilter(request.required('query', 'object').value)
    if (selection === 'all') throw new MongoError('CommandNotSupported', 'The embedded store modifies documents by _id only')
    const keys = distinctKeys(collectionPrefix(namespace), selection)
    const changes = parseUpdate(request.required('update', 'any'))
    const returnNew = request.boolean('new', false)
    return reply(await storage.write(() => modify(storage, keys, changes, returnNew)))
  }
}

/** The document that the client gets, or undefined when there is none to modify. */
function modify (storage: Storage, keys: Buffer[], changes: Changes, returnNew: boolean): Buffer | undefined {
  for (const key of keys) {
    const before = storage.get(key)
    if (before === undefined) continue
    const after = applyChanges(before, changes)
    if (after !== undefined) storage.put(key, after)
    return returnNew ? after ?? before : before
  }
}

function reply (document: Buffer | undefined): Uint8Array {
  if (document === undefined) return ok({ lastErrorObject: { n: 0, updatedExisting: false }, value: null })
  return append(ok({ lastErrorObject: { n: 1, updatedExisting: true } }), types.object, 'value', document)
}
