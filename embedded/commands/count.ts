import { noDocument } from '../bson.js'
import { Collection } from '../collection.js'
import { parseFilter, type Selection } from '../filter.js'
import { Scan } from '../scan.js'
import { ok, type Command } from './command.js'

/** Documents looked at in one go. */
const batchLength = 1000

export const count: Command = {
  fields: { query: 'object' },
  unsupported: ['limit', 'skip', 'hint', 'collation'],
  run: async (request, { storage }) => {
    const selection = parseFilter(request.document('query') ?? noDocument)
    return ok({ n: await countSelected(new Collection(storage, request.namespace()), selection) })
  }
}

export async function countSelected (collection: Collection, selection: Selection): Promise<number> {
  if (selection.ids === undefined && selection.conditions.length === 0) return collection.count()
  const scan = new Scan(collection, selection)
  let counted = 0
  while (!scan.done) counted += (await scan.batch(batchLength)).length
  return counted
}
