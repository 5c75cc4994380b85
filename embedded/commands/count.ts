import { Collection } from '../collection.js'
import { conjuncts, type Selection } from '../filter.js'
import { Scan } from '../scan.js'
import { ok, type Run } from './command.js'

/** Documents looked at in one go. */
const batchLength = 1000

/** All documents of a collection. Those of a filter are counted by aggregate, as drivers do. */
export const count: Run = async (request, { storage }) => ok({ n: await new Collection(storage, request.namespace()).count() })

/** How many documents are selected, up to a limit. */
export async function countSelected (collection: Collection, selection: Selection, limit = Infinity): Promise<number> {
  if (conjuncts(selection.filter).length === 0) return Math.min(limit, await collection.count())
  const scan = new Scan(collection, selection, { limit })
  let counted = 0
  while (!scan.done) counted += (await scan.batch(batchLength)).length
  return counted
}
