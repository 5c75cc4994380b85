import { Collection } from '../collection.js'
import { everything, type Selection } from '../filter.js'
import { planFor } from '../plan.js'
import { Scan } from '../scan.js'
import { ok, type Run } from './command.js'

/** Documents looked at in one go. */
const batchLength = 1000

/** All documents of a collection. Those of a filter are counted by aggregate, as drivers do. */
export const count: Run = async (request, { storage }) => ok({ n: await countSelected(new Collection(storage, request.namespace()), everything) })

/** How many documents are selected, up to a limit. Where keys alone say so, no document is read. */
export async function countSelected (collection: Collection, selection: Selection, limit = Infinity): Promise<number> {
  const { path } = planFor(collection, selection, [])
  if (path.isExact) return collection.count(path, limit)
  const scan = new Scan(collection, selection, { limit, path })
  let counted = 0
  while (!scan.done) counted += (await scan.batch(batchLength)).length
  return counted
}
