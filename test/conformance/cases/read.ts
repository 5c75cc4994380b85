import { Int32, Long, type Document } from 'mongodb'
import { asSet, exact, type Side } from '../side.js'
import { chance, id, one, some, texts, upTo } from '../values.js'
import { collection, indexed, large, largeCount, type Case } from './case.js'
import { filter, operated } from './filters.js'
import { pageFilter, pagesOf } from './pages.js'

/** Fields of the top level, as find and findAndModify are asked for them; empty for all. */
export function projection (): Document {
  const names = some(['_id', 'name', 'type', 'tags', 'n', 'missing'], 0, 4)
  return Object.fromEntries(names.map(name => [name, one([1, new Int32(1), Long.fromNumber(1), true])]))
}

export const reads: Record<string, () => Case> = {
  'find in no order' () {
    const command = { find: collection(), filter: chance(0.1) ? {} : filter(), ...generic() }
    return { run: async side => found(await side.command(command), asSet) }
  },
  'find by operators' () {
    const command = { find: one([collection(), large]), filter: operated(), sort: { _id: 1 } }
    return { run: async side => found(await side.command(command)) }
  },
  'find in the order of _id' () {
    const command = { find: collection(), filter: chance(0.6) ? {} : filter(), ...(chance(0.3) && { projection: projection() }), sort: { _id: one([1, -1, new Int32(1), Long.fromNumber(-1)]) }, limit: upTo(20) }
    return { run: async side => found(await side.command(command)) }
  },
  'find in an order' () {
    const command = {
      find: collection(),
      filter: chance(0.5) ? {} : filter(),
      ...(chance(0.2) && { projection: projection() }),
      sort: sort(),
      ...(chance(0.4) && { skip: one([0, 1, 3, new Int32(10), Long.fromNumber(2)]) }),
      ...(chance(0.6) && { limit: upTo(20) })
    }
    return { run: async side => found(await side.command(command)) }
  },
  'find in the order of an index' () {
    const field = one(indexed)
    const direction = (): number => one([1, -1])
    const command = { find: one([collection(), large]), filter: { [field]: { $not: { $type: 'array' } } }, sort: new Map([[field, direction()], ['_id', direction()]]), limit: 1 + upTo(100) }
    return { run: async side => found(await side.command(command)) }
  },
  'find in an order and getMore to the end' () {
    const command = { find: large, filter: chance(0.5) ? {} : filter(), sort: sort(), batchSize: one([1, 20, 101]), ...(chance(0.5) && { skip: upTo(50) }), ...(chance(0.5) && { limit: 1 + upTo(100) }) }
    return { run: side => batches(side, command, { batchSize: 50 }) }
  },
  'pages by key' () {
    const [name, by, field, direction, length] = [one([collection(), large]), pageFilter(), one(indexed), one([1, -1] as const), 1 + upTo(20)]
    const unsorted = one<unknown>(['array', 4, [4, 11, 12, 13, 15]])
    return { run: side => pagesOf(side, { name, by, field, direction, length, unsorted }) }
  },
  'find and getMore to the end' () {
    const command = {
      find: large,
      filter: chance(0.5) ? {} : one([{ name: one(texts) }, { _id: { $in: Array.from({ length: upTo(60) }, () => new Int32(upTo(2 * largeCount))) } }]),
      sort: { _id: one([1, -1]) },
      batchSize: one([0, 1, 2, 50, 101, 1000]),
      ...(chance(0.5) && { limit: one([0, 1, 60, 150, 1000]) })
    }
    const batchSize = one([20, 50, 100])
    return { run: side => batches(side, command, { batchSize }) }
  },
  'find one batch' () {
    const limit = 1 + upTo(5)
    const command = { find: large, filter: {}, sort: { _id: 1 }, ...one([{ limit, batchSize: limit, singleBatch: true }, { batchSize: limit, singleBatch: false }]) }
    return {
      run: async side => {
        const reply = await side.command(command)
        await end(side, large, reply)
        return found(reply)
      }
    }
  },
  'getMore and killCursors' () {
    const wrong = one(['killed', 'unknown', 'foreign'])
    return { run: side => misusedCursor(side, wrong) }
  },
  "the driver's find" () {
    const by = chance(0.5) ? {} : filter()
    const options = { sort: { _id: one([1, -1] as const) }, projection: projection(), limit: upTo(10), batchSize: 1 + upTo(5), ...exact }
    const name = collection()
    return { run: side => side.collection(name).find(by, options).toArray() }
  },
  "the driver's findOne" () {
    const [name, by]: [string, Document] = [collection(), { _id: id() }]
    return { run: side => side.collection(name).findOne(by, exact) }
  },
  'count' () {
    const command = { count: one([collection(), large, 'none']), ...generic() }
    return { run: side => side.command(command) }
  },
  'aggregate to count' () {
    const pipeline = [{ $match: chance(0.2) ? {} : filter() }, { $group: { _id: 1, n: { $sum: 1 } } }]
    const command = { aggregate: collection(), pipeline, cursor: one([{}, { batchSize: 10 }]) }
    return { run: async side => found(await side.command(command)) }
  },
  'aggregate to count up to a limit' () {
    const $limit = one([1, 2, 10, 1000, new Int32(3), Long.fromNumber(5)])
    const pipeline = [{ $match: chance(0.2) ? {} : filter() }, ...chance(0.6) ? [{ $limit }] : [], { $count: one(['n', 'count', 'ünï']) }]
    const command = { aggregate: one([collection(), large]), pipeline, cursor: {} }
    return { run: async side => found(await side.command(command)) }
  },
  "the driver's countDocuments" () {
    const [name, by] = [one([collection(), large]), chance(0.3) ? {} : filter()]
    return { run: async side => [await side.collection(name).countDocuments(by), await side.collection(name).estimatedDocumentCount()] }
  }
}

/** By up to four fields, the last of them `_id`, so that there is one order only; or by `_id` first, after which nothing matters. */
export function sort (): Map<string, unknown> {
  const direction = (): unknown => one([1, -1, new Int32(1), Long.fromNumber(-1)])
  const fields = chance(0.1) ? ['_id', 'name'] : [...some(['name', 'type', 'n', 'tags', 'extra', 'missing'], 0, 3), '_id']
  return new Map(fields.map(name => [name, direction()]))
}

/** What any command may carry. */
export function generic (): Document {
  return { ...(chance(0.3) && { comment: one(['x', { a: 1 }]) }) }
}

/** The first batch, and whether there is more. */
function found ({ cursor: { firstBatch, id, ns }, ...rest }: Document, shape: (documents: Document[]) => unknown = documents => documents): Document {
  return { ...rest, ns, documents: shape(firstBatch), open: !id.isZero() }
}

/** Not when the cursor ends: whether a server knows that a full batch was the last, before the next one is asked for, is its own matter. */
async function batches (side: Side, command: Document, more: Document): Promise<unknown[]> {
  const { cursor: { firstBatch, id: first, ns }, ok } = await side.command(command)
  const seen: unknown[] = [ok, ns, firstBatch]
  for (let id = first; !id.isZero();) {
    const { cursor, ok } = await side.command({ getMore: id, collection: command.find, ...more })
    if (cursor.nextBatch.length > 0) seen.push([ok, cursor.ns, cursor.nextBatch])
    id = cursor.id
  }
  return seen
}

async function end (side: Side, name: string, { cursor: { id } }: Document): Promise<Document | undefined> {
  if (id.isZero()) return
  const { cursorsKilled, cursorsNotFound, cursorsAlive, cursorsUnknown, ok } = await side.command({ killCursors: name, cursors: [id, Long.fromNumber(1)] })
  return { killed: cursorsKilled.length, notFound: cursorsNotFound.map(Number), cursorsAlive, cursorsUnknown, ok }
}

async function misusedCursor (side: Side, wrong: string): Promise<unknown> {
  const reply = await side.command({ find: large, filter: {}, batchSize: 2 })
  const { id } = reply.cursor
  try {
    if (wrong === 'foreign') return await side.command({ getMore: id, collection: 'a' })
    const ended = await end(side, large, reply)
    if (wrong === 'killed') await side.command({ getMore: id, collection: large })
    return ended
  } finally {
    await end(side, large, reply)
  }
}
