import { Decimal128, Double, Int32, Long, MinKey, type Document } from 'bson'
import t from 'tap'
import { Collection } from '../../embedded/collection.js'
import { sortIndex } from '../conformance/cases/case.js'
import { pagesOf } from '../conformance/cases/pages.js'
import type { Side } from '../conformance/side.js'
import type { Server } from '../../embedded/server.js'
import { serverFor, type WireClient } from './support.js'

const count = 5000

/** Students whose names come in an order of their own, each of them twice, and of whom some have no name. */
function students (): Document[] {
  return Array.from({ length: count }, (_, _id) => ({
    _id, ...(_id % 50 === 0 ? {} : { name: `n${String((_id * 7919) % 2500).padStart(5, '0')}` }), gpa: new Double((_id % 41) / 10), course: `course ${_id % 5}`
  }))
}

async function filled (client: WireClient, documents = students()): Promise<void> {
  await client.send({ createIndexes: 'students', indexes: ['name', 'gpa', 'course'].map(sortIndex) })
  await client.send({ insert: 'students' }, { sequences: { documents } })
}

interface Outcome {
  documents: Document[]
  /** How many documents were read for it. */
  read: number
}

async function list (client: WireClient, { storage }: Server, command: Document): Promise<Outcome> {
  const before = storage.documentsRead
  const { cursor } = await client.send({ find: 'students', batchSize: 1000, ...command })
  return { documents: cursor.firstBatch, read: storage.documentsRead - before }
}

const ids = (documents: Document[]): number[] => documents.map(({ _id }) => Number(_id))

t.test('a page of a sorted list reads what it shows and one more, wherever it is, in both directions', async t => {
  const { client, server } = await serverFor(t)
  await filled(client)
  for (const [field, by] of [['name', {}], ['name', { name: { $gte: 'n01', $lt: 'n02' } }], ['gpa', {}], ['gpa', { gpa: { $gte: 1, $lt: 3 } }], ['course', { course: 'course 3' }], ['_id', {}]] as const) {
    for (const direction of [1, -1] as const) {
      const wanted = ids((await list(client, server, { filter: by, sort: { [field]: direction, _id: direction }, batchSize: 10_000 })).documents)
      const reads: number[] = []
      const side = {
        command: async (command: Document) => {
          const { documents, read } = await list(client, server, command)
          reads.push(read)
          return { cursor: { firstBatch: documents } }
        }
      }
      // all that pagesOf needs of a side
      const pages = await pagesOf(side as unknown as Side, { name: 'students', by, field, direction, length: 20 }) as Document[][]
      t.same(pages.flatMap(page => ids(page.slice(0, 20))), wanted.slice(0, 20 * pages.length), `${field} ${JSON.stringify(by)} ${direction}`)
      t.ok(pages.length > 20)
      t.ok(Math.max(...reads) <= 22, `${Math.max(...reads)} documents read at most`)
    }
  }
})

t.test('a range, or one of some values, reads the documents that are in it; the fewer of two ways is taken', async t => {
  const { client, server } = await serverFor(t)
  await filled(client)
  for (const [filter, most] of [
    [{ name: 'n00007' }, 2], [{ name: { $in: ['n00007', 'n00009', 'none'] } }, 4], [{ name: { $regex: '7' }, gpa: { $gt: 3.9 } }, 122], [{ name: null }, 100], [{ name: { $type: 'null' } }, 100],
    [{ $or: [{ name: 'n00007' }, { name: { $lt: 'n00003' } }] }, 8], [{ course: 'course 1', name: 'n00001' }, 2], [{ name: { $lt: 3 } }, 0], [{ name: { $gt: null } }, 0],
    [{ _id: { $gt: 4990 } }, 9], [{ name: { $gt: new MinKey(), $lt: 'n00003' } }, 6], [{ _id: { $lte: 3 } }, 4], [{ _id: { $in: [1, 2, 9999] }, gpa: { $exists: true } }, 3], [{ $and: [{ _id: { $ne: 3 } }, { _id: { $lt: 5 } }] }, 4]
  ] as Array<[Document, number]>) {
    for (const sort of [{}, { _id: -1 }, { gpa: 1, course: -1, _id: 1 }] as Document[]) {
      const { documents, read } = await list(client, server, { filter, sort })
      t.ok(read <= most && documents.length <= read, `${JSON.stringify(filter)} by ${JSON.stringify(sort)}: ${read} read, ${documents.length} found`)
    }
  }
  t.equal((await list(client, server, { filter: { name: { $exists: false } }, sort: { _id: 1 } })).documents.length, 100)
  // many documents are in the range, and few are wanted
  t.same(await list(client, server, { filter: { gpa: { $gte: 0 } }, sort: { _id: 1 }, limit: 1 }), { documents: [students()[0]].map(one => ({ ...one, _id: new Int32(0) })), read: 1 })
  await client.send({ delete: 'students', deletes: [{ q: { name: { $gte: 'n00000' } }, limit: 0 }] })
  t.equal((await list(client, server, {})).documents.length, 100)
})

t.test('a count that keys answer reads no document, and one that they do not is right too', async t => {
  const { client, server } = await serverFor(t)
  await filled(client)
  const counted = async (filter: Document, ...more: Document[]): Promise<[number, number]> => {
    const before = server.storage.documentsRead
    const { cursor } = await client.send({ aggregate: 'students', pipeline: [{ $match: filter }, ...more, { $count: 'n' }], cursor: {} })
    return [Number(cursor.firstBatch[0]?.n ?? 0), server.storage.documentsRead - before]
  }
  t.same(await counted({}), [count, 0])
  t.same(await counted({ gpa: { $gte: 0 } }, { $limit: 4000 }), [4000, 0])
  t.same(await counted({ course: { $in: ['course 1', 'course 2'] } }), [2000, 0])
  t.same(await counted({ course: { $ne: 'course 1' } }), [4000, 0])
  t.same(await counted({ course: { $nin: ['course 1', null] } }), [4000, 0])
  t.same(await counted({ name: null }), [100, 0])
  t.same(await counted({ gpa: { $type: 'number' } }), [count, 0])
  t.same(await counted({ gpa: { $type: 'double' } }), [count, count])
  t.same(await counted({ course: 'course 1', name: { $exists: true } }), [1000, 1000])
  t.same(await counted({ _id: { $lt: 10 } }), [10, 0])
  await client.send({ insert: 'students', documents: [{ _id: 'list', course: ['course 1', 'x'] }] })
  t.same(await counted({ course: 'course 1' }), [1001, 1001], 'an array is looked at')
  t.same(await counted({ course: { $eq: 'course 1', $not: { $type: 'array' } } }), [1000, 0])
})

t.test('a sort is in memory where an index has arrays, unless they are left out', async t => {
  const { client, server } = await serverFor(t)
  await filled(client, [{ _id: 1, name: 'b' }, { _id: 2, name: ['a', 'z'] }, { _id: 3, name: [] }, { _id: 4 }, { _id: 5, name: 'c' }])
  t.same(ids((await list(client, server, { sort: { name: 1, _id: 1 } })).documents), [3, 4, 2, 1, 5])
  t.same(ids((await list(client, server, { sort: { name: -1, _id: -1 }, limit: 2 })).documents), [2, 5])
  t.same(ids((await list(client, server, { filter: { name: { $gte: 'b' } }, sort: { name: 1, _id: 1 } })).documents), [2, 1, 5])
  const apart = await list(client, server, { filter: { name: { $not: { $type: 'array' } } }, sort: { name: 1, _id: 1 }, limit: 2 })
  t.same([ids(apart.documents), apart.read], [[4, 1], 2])
  const unsortable = { name: { $not: { $type: [4, 11, 12, 13, 15] } } }
  const sortable = await list(client, server, { filter: unsortable, sort: { name: -1, _id: -1 }, limit: 2 })
  t.same([ids(sortable.documents), sortable.read], [[5, 1], 2])
  const some = await list(client, server, { filter: { name: { $not: { $type: ['array', 'string'] } } }, sort: { name: 1, _id: 1 } })
  t.same([ids(some.documents), some.read], [[4], 3], 'a symbol would be between')
  const { cursor } = await client.send({ aggregate: 'students', pipeline: [{ $match: unsortable }, { $count: 'n' }], cursor: {} })
  t.same(cursor.firstBatch, [{ n: new Int32(3) }])
})

t.test('keys too long for LMDB are in order all the same, and a page goes on behind one of them', async t => {
  const { client, server } = await serverFor(t)
  const long = 'x'.repeat(1960)
  const names = ['w', ...Array.from({ length: 30 }, (_, place) => `${long}${String((place * 7) % 30).padStart(2, '0')}`), `${long}`, `${long.slice(0, 1930)}`, `${'x'.repeat(1942)}y`, 'y']
  const documents = [...names, ...names].map((name, _id) => ({ _id: `${'i'.repeat(_id % 2 === 0 ? 1 : 1200)}${String(_id).padStart(2, '0')}`, name, at: _id }))
  await filled(client, documents)
  const byName = documents.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || Buffer.compare(Buffer.from(a._id), Buffer.from(b._id)))
  for (const direction of [1, -1] as const) {
    const wanted = direction === 1 ? byName : byName.toReversed()
    const side = { command: (command: Document) => client.send(command) } as unknown as Side
    const pages = await pagesOf(side, { name: 'students', by: {}, field: 'name', direction, length: 7 }) as Document[][]
    t.same(pages.flatMap(page => page.slice(0, 7)).map(({ at }) => Number(at)), wanted.map(({ at }) => at))
    const { cursor } = await client.send({ find: 'students', sort: { name: direction, _id: direction }, batchSize: 5 })
    t.ok(server.cursors.size === 1)
    const rest = await client.send({ getMore: cursor.id, collection: 'students' })
    t.same([...cursor.firstBatch, ...rest.cursor.nextBatch].map(({ at }: Document) => Number(at)), wanted.map(({ at }) => at))
  }
  const filter = { name: { $gt: `${long}05`, $lt: `${long}09` } }
  t.same((await list(client, server, { filter, sort: { name: 1, _id: 1 } })).documents.length, 6)
  const { cursor } = await client.send({ aggregate: 'students', pipeline: [{ $match: filter }, { $count: 'n' }], cursor: {} })
  t.same(cursor.firstBatch, [{ n: new Int32(6) }])
})

t.test('numbers of all types stand in one order, exactly', async t => {
  const { client, server } = await serverFor(t)
  const ascending = [
    new Double(NaN), new Double(-Infinity), Decimal128.fromString('-1E+400'), Long.MIN_VALUE, Long.fromBigInt(-(2n ** 53n) - 1n), new Double(-(2 ** 53)), new Double(-1.5), Decimal128.fromString('-1E-400'), new Double(-0),
    Decimal128.fromString('1E-400'), new Double(5e-324), Decimal128.fromString('0.1'), new Double(0.1), new Int32(1), new Double(2 ** 53), Long.fromBigInt(2n ** 53n + 1n),
    Decimal128.fromString('9007199254740993.5'), new Double(2 ** 53 + 2), Long.MAX_VALUE, new Double(2 ** 63), Decimal128.fromString('1E+400'), Decimal128.fromString('Infinity')
  ]
  await filled(client, ascending.map((gpa, _id) => ({ _id, gpa })))
  const all = [...ascending.keys()]
  t.same(ids((await list(client, server, { sort: { gpa: 1, _id: 1 } })).documents), all)
  for (const [place, gpa] of ascending.entries()) {
    t.same(ids((await list(client, server, { filter: { gpa } })).documents), [place], String(gpa))
    t.same(ids((await list(client, server, { filter: { gpa: { $gt: gpa } }, sort: { gpa: 1 } })).documents), place === 0 ? [] : all.slice(place + 1), String(gpa))
  }
})

t.test('entries follow their documents, and an entry whose document is missing is damage', async t => {
  const { client, server } = await serverFor(t)
  await filled(client, [{ _id: 1, name: 'a' }, { _id: 2, name: 'b' }])
  const modify = (change: Document): Promise<Document> => client.send({ findAndModify: 'students', query: { _id: 1 }, update: { $set: change } })
  const keys = (): number => server.storage.entries.getKeysCount()
  const puts = t.capture(server.storage.entries, 'putSync', server.storage.entries.putSync)
  await modify({ other: 1 })
  t.equal(puts().length, 0, 'no entry is written where none changes')
  await modify({ name: 'c' })
  t.equal(puts().length, 1)
  t.same([ids((await list(client, server, { sort: { name: 1 } })).documents), keys()], [[2, 1], 6])
  await client.send({ delete: 'students', deletes: [{ q: { _id: 1 }, limit: 1 }] })
  t.equal(keys(), 3)
  const collection = new Collection(server.storage, 'college.students')
  await server.storage.write(() => server.storage.documents.removeSync([...collection.walk('documents', { range: { start: collection.prefix, end: Buffer.from('d') }, reverse: false, behind: undefined })][0]?.key ?? collection.prefix))
  t.match(await client.send({ find: 'students', sort: { name: 1 } }), { codeName: 'DataCorruptionDetected' })
  t.same(await client.send({ drop: 'students' }), { nIndexesWas: new Int32(4), ns: 'college.students', ok: new Double(1) })
})

t.test('listIndexes has what createIndexes took, in MongoDB\'s form', async t => {
  const { client } = await serverFor(t)
  await filled(client, [{ _id: 1 }])
  await client.send({ createIndexes: 'students', indexes: [{ key: { at: 1 }, name: 'expiry', expireAfterSeconds: 5 }] })
  const { cursor } = await client.send({ listIndexes: 'students', cursor: {} })
  const one = new Int32(1)
  const spec = (key: Document, name: string): Document => ({ v: new Int32(2), key, name })
  t.same(cursor, {
    id: Long.ZERO,
    ns: 'college.students',
    firstBatch: [
      spec({ _id: one }, '_id_'), ...['name', 'gpa', 'course'].map(field => spec({ [field]: one, _id: one }, `${field}_1__id_1`)), { ...spec({ at: one }, 'expiry'), expireAfterSeconds: new Int32(5) }
    ]
  })
  const again = (index: Document): Promise<Document> => client.send({ createIndexes: 'students', indexes: [index] })
  t.match(await again(sortIndex('name')), { note: 'all indexes already exist' })
  t.match(await again({ ...sortIndex('name'), name: 'other' }), { code: new Int32(85) })
  t.match(await again({ ...sortIndex('at'), name: 'expiry' }), { code: new Int32(86) })
  t.match(await again(sortIndex('at')), { numIndexesAfter: new Int32(6) }, 'beside one by which documents expire')
})
