import { noDocument } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { planFor } from '../plan.js'
import { parseProjection } from '../projection.js'
import type { Request } from '../request.js'
import { Scan, type Batches } from '../scan.js'
import { parseSort } from '../sort.js'
import { Sorted } from '../sorted.js'
import { cursorReply, type Context, type Run } from './command.js'

/** What MongoDB sends at first when nobody asks for a size. */
const firstBatchLength = 101
/** Pages are found by where the last one ended; what is skipped is read, or sorted, all the same. */
const maxSkip = 10_000

export const find: Run = async (request, context) => {
  const namespace = request.namespace()
  // A copy: a cursor that held a part of the message would hold all of it.
  const filter = Buffer.from(request.document('filter') ?? noDocument)
  const batches = batchesOf(request, filter, new Collection(context.storage, namespace), context)
  const documents = await batches.batch(request.count('batchSize', firstBatchLength))
  const finished = batches.done || request.boolean('singleBatch', false)
  const cursor = { namespace, session: request.session, batches, heldBytes: filter.length + batches.heldBytes }
  return cursorReply(namespace, finished ? 0n : context.cursors.add(cursor), 'firstBatch', documents)
}

function batchesOf (request: Request, filter: Buffer, collection: Collection, { sortLimitBytes }: Context): Batches {
  const selection = parseFilter(filter)
  const sort = parseSort(request.document('sort') ?? noDocument)
  const project = parseProjection(request.document('projection') ?? noDocument)
  const [limit, skip] = [request.count('limit', 0) || Infinity, request.count('skip', 0)]
  if (skip > maxSkip) throw new MongoError('CommandNotSupported', `The embedded store skips at most ${maxSkip} documents`)
  const { path, isSorted, reverse } = planFor(collection, selection, sort)
  if (isSorted) return new Scan(collection, selection, { limit, skip, reverse, project, path })
  return new Sorted(new Scan(collection, selection, { path }), { sort, skip, limit, project, limitBytes: sortLimitBytes })
}
