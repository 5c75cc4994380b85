import { fieldsOf, noDocument } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { parseProjection } from '../projection.js'
import { checkKind, numberOf, type Request } from '../request.js'
import { Scan } from '../scan.js'
import { sortFields } from '../surface.js'
import { cursorReply, type Run } from './command.js'

/** What MongoDB sends at first when nobody asks for a size. */
const firstBatchLength = 101

export const find: Run = async (request, { storage, cursors }) => {
  const namespace = request.namespace()
  // A copy: a cursor that held a part of the message would hold all of it.
  const filter = Buffer.from(request.document('filter') ?? noDocument)
  const selection = parseFilter(filter)
  const project = parseProjection(request.document('projection') ?? noDocument)
  const options = { limit: request.count('limit', 0) || Infinity, reverse: isReverse(request), project }
  const scan = new Scan(new Collection(storage, namespace), selection, options)
  const documents = await scan.batch(request.count('batchSize', firstBatchLength))
  const finished = scan.done || request.boolean('singleBatch', false)
  const id = finished ? 0n : cursors.add({ namespace, session: request.session, scan, filterBytes: filter.length })
  return cursorReply(namespace, id, 'firstBatch', documents)
}

function isReverse (request: Request): boolean {
  const [field, ...others] = fieldsOf(request.document('sort') ?? noDocument)
  if (field === undefined) return false
  if (!sortFields.includes(field.name) || others.length > 0) throw new MongoError('CommandNotSupported', 'The embedded store sorts by _id only')
  checkKind('sort', field, 'number')
  const direction = numberOf(field)
  if (direction !== 1 && direction !== -1) throw new MongoError('Location15975', '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
  return direction === -1
}
