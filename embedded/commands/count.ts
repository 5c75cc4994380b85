import { noDocument } from '../bson.js'
import { parseFilter, type Selection } from '../filter.js'
import { afterPrefix, collectionPrefix } from '../keys.js'
import { distinctKeys } from '../scan.js'
import type { Storage } from '../storage.js'
import { ok, type Command } from './command.js'

export const count: Command = {
  fields: { query: 'object' },
  unsupported: ['limit', 'skip', 'hint', 'collation'],
  run: async (request, { storage }) => {
    const selection = parseFilter(request.document('query') ?? noDocument)
    return ok({ n: await countSelected(storage, request.namespace(), selection) })
  }
}

export async function countSelected (storage: Storage, namespace: string, selection: Selection): Promise<number> {
  const prefix = collectionPrefix(namespace)
  if (selection === 'all') return storage.count(prefix, afterPrefix(prefix))
  return distinctKeys(prefix, selection).filter(key => storage.get(key) !== undefined).length
}
