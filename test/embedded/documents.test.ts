import { Binary, BSONRegExp, BSONSymbol, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, serialize, type Document } from 'bson'
import t from 'tap'
import { documentOf, types, type Field } from '../../embedded/bson.js'
import { message, serverFor, type WireClient } from './support.js'

const ok = new Double(1)

function field (type: number, name: string, value: Buffer): Field {
  return { type, name, value }
}

function insert (client: WireClient, documents: Document[], more: Document = {}): Promise<Document> {
  return client.send({ insert: 'students', ordered: true, ...more }, { sequences: { documents } })
}

async function find (client: WireClient, command: Document = {}): Promise<Document[]> {
  const reply = await client.send({ find: 'students', ...command })
  return reply.cursor.firstBatch
}

async function ids (client: WireClient, command?: Document): Promise<number[]> {
  return (await find(client, command)).map(document => Number(document._id))
}

const many = Array.from({ length: 250 }, (_, index) => ({ _id: index }))

t.test('a document comes back as it was sent, with _id in front and every BSON type kept', async t => {
  const { client } = await serverFor(t)
  const sent = {
    double: new Double(3),
    int: new Int32(3),
    long: Long.fromNumber(3),
    decimal: Decimal128.fromString('3.0'),
    text: 'é\0',
    nested: { a: [new Double(1)] },
    binary: new Binary(Buffer.from('x'), 0x80),
    id: new ObjectId(),
    yes: true,
    date: new Date(1),
    nothing: null,
    expression: new BSONRegExp('a', 'i'),
    time: new Timestamp({ t: 1, i: 2 }),
    min: new MinKey(),
    max: new MaxKey(),
    $ref: 'x',
    'a.b': 1
  }
  t.same(await client.send({ insert: 'students', documents: [{ ...sent, _id: 1 }] }), { n: new Int32(1), ok })
  const reply = await client.exchange(message({ find: 'students', filter: { _id: 1 } }))
  t.ok(reply.includes(Buffer.from(serialize({ _id: 1, ...sent }))), 'byte by byte')
})

t.test('a document without an _id gets an ObjectId', async t => {
  const { client } = await serverFor(t)
  await insert(client, [{ name: 'a' }, { name: 'b' }])
  const found = await find(client)
  t.same(found.map(document => Object.keys(document)), [['_id', 'name'], ['_id', 'name']])
  t.ok(found.every(({ _id }) => _id instanceof ObjectId))
})

t.test('a duplicate is an E11000 that shows the key; ordered stops there, unordered goes on', async t => {
  const { client } = await serverFor(t)
  const id = new ObjectId('0123456789abcdef01234567')
  await insert(client, [{ _id: 1 }, { _id: 'userprofile::x' }, { _id: id }])
  t.same(await insert(client, [{ _id: 2 }, { _id: new Double(1) }, { _id: 3 }]), {
    n: new Int32(1),
    writeErrors: [{
      index: new Int32(1),
      code: new Int32(11000),
      keyPattern: { _id: new Int32(1) },
      keyValue: { _id: new Double(1) },
      errmsg: 'E11000 duplicate key error collection: college.students index: _id_ dup key: { _id: 1 }'
    }],
    ok
  })
  const unordered = await insert(client, [{ _id: 'userprofile::x' }, { _id: 4 }, { _id: id }, { _id: 1 }, { _id: Long.fromNumber(5) }], { ordered: false })
  t.same(unordered.n, new Int32(2))
  t.same(unordered.writeErrors.map(({ errmsg }: Document) => errmsg.split('dup key: ')[1]), [
    '{ _id: "userprofile::x" }', "{ _id: ObjectId('0123456789abcdef01234567') }", '{ _id: 1 }'
  ])
  t.same(await ids(client, { filter: { _id: { $in: [1, 2, 3, 4, 5] } } }), [1, 2, 4, 5])
})

t.test('a batch that is all refused is answered in one reply, however large, its messages up to a megabyte', async t => {
  const { client } = await serverFor(t)
  const count = 20_000
  const documents = Array.from({ length: count }, (_, index) => ({ _id: `${'x'.repeat(900)}${index}` }))
  t.same((await insert(client, documents)).n, new Int32(count))
  const { n, writeErrors } = await insert(client, documents, { ordered: false })
  t.same(n, new Int32(0))
  t.equal(writeErrors.length, count)
  t.match(writeErrors[500], { index: new Int32(500), code: new Int32(11000), keyValue: documents[500], errmsg: /^E11000/ })
  t.match(writeErrors[count - 1], { index: new Int32(count - 1), code: new Int32(11000), keyValue: documents[count - 1], errmsg: '' })
  t.match(await insert(client, Array.from({ length: 100_001 }, () => ({}))), { code: new Int32(16), codeName: 'InvalidLength' })
})

t.test('an _id that can be none is refused, the others of the batch go in', async t => {
  const { client } = await serverFor(t)
  const large = 'x'.repeat(16 * 1024 * 1024)
  const twice = documentOf([field(types.int32, '_id', Buffer.alloc(4)), field(types.boolean, '_id', Buffer.alloc(1))])
  const undefinedId = documentOf([field(types.undefined, '_id', Buffer.alloc(0))])
  const documents = [{ _id: [1] }, { _id: /x/ }, { _id: { $a: 1 } }, { large }].map(document => Buffer.from(serialize(document)))
  const sent = [...documents, twice, undefinedId, Buffer.from(serialize({ _id: { a: 1 } }))]
  const reply = await client.exchange(messageOf(sent))
  const text = reply.toString('latin1')
  for (const type of ['array', 'regex', 'undefined']) t.match(text, `The '_id' value cannot be of type ${type}`)
  t.match(text, "_id fields may not contain '$'-prefixed fields: $a is not valid for storage.")
  t.match(text, "can't have multiple _id fields in one document")
  t.match(text, /object to insert too large. size in bytes: \d+, max size: 16777216/)
  t.same(await find(client), [{ _id: { a: new Int32(1) } }])
})

function messageOf (documents: Buffer[]): Buffer {
  const array = documentOf(documents.map((document, index) => field(types.object, String(index), document)))
  return message(documentOf([
    field(types.string, 'insert', Buffer.from('\x09\0\0\0students\0', 'latin1')),
    field(types.boolean, 'ordered', Buffer.from([0])),
    field(types.array, 'documents', array),
    field(types.string, '$db', Buffer.from('\x08\0\0\0college\0', 'latin1'))
  ]))
}

t.test('one find reads all, those with an _id, or those of a list, in the order of _id', async t => {
  const { client } = await serverFor(t)
  t.same(await ids(client), [], 'nothing yet')
  await insert(client, [{ _id: 3 }, { _id: 1 }, { _id: 2 }])
  t.same(await ids(client), [1, 2, 3])
  t.same(await ids(client, { filter: {}, sort: {} }), [1, 2, 3])
  t.same(await ids(client, { sort: { _id: -1 } }), [3, 2, 1])
  t.same(await ids(client, { sort: { _id: 1 }, limit: 2 }), [1, 2])
  t.same(await ids(client, { filter: { _id: 2 } }), [2])
  t.same(await ids(client, { filter: { _id: { $eq: new Double(2) } } }), [2])
  t.same(await ids(client, { filter: { _id: { $in: [3, 9, 1, 3] } } }), [1, 3])
  t.same(await ids(client, { filter: { _id: { $in: [3, 9, 1, 3] } }, sort: { _id: -1 }, limit: 1 }), [3])
  t.same(await ids(client, { filter: { _id: { $in: [] } } }), [])
  t.same(await ids(client, { filter: { _id: { a: 1 } } }), [])
  t.same(await ids(client, { filter: { _id: {} } }), [])
  t.match(await client.send({ find: 'other' }), { cursor: { firstBatch: [], id: Long.ZERO, ns: 'college.other' }, ok })
})

t.test('a filter by strings of the top level finds those that equal all of them, in an array too', async t => {
  const { client } = await serverFor(t)
  await insert(client, [
    { _id: 1, name: 'a', type: 'x' }, { _id: 2, name: 'a' }, { _id: 3, name: ['b', 'a', 1] }, { _id: 4, name: [['a']] }, { _id: 5, name: new BSONSymbol('a') },
    { _id: 6, name: 'ab' }, { _id: 7, name: { name: 'a' } }, { _id: 8, name: null }, { _id: 9, name: [] }, { _id: 10 }
  ])
  t.same(await ids(client, { filter: { name: 'a' } }), [1, 2, 3, 5])
  t.same(await ids(client, { filter: { name: { $eq: 'a' } }, sort: { _id: -1 }, limit: 2 }), [5, 3])
  t.same(await ids(client, { filter: { type: 'x', name: 'a' } }), [1])
  t.same(await ids(client, { filter: { _id: 2, name: 'a' } }), [2])
  t.same(await ids(client, { filter: { name: 'a', _id: { $in: [9, 6, 5, 1] } } }), [1, 5])
  t.same(await ids(client, { filter: { _id: 6, name: 'a' } }), [])
  const { cursor } = await client.send({ find: 'students', filter: { name: 'a' }, batchSize: 3 })
  t.match(await client.send({ getMore: cursor.id, collection: 'students' }), { cursor: { nextBatch: [{ _id: new Int32(5) }] } }, 'the rest of a slice is not lost')
  const countA = [{ $match: { name: 'a' } }, { $group: { _id: 1, n: { $sum: 1 } } }]
  t.match(await client.send({ aggregate: 'students', pipeline: countA, cursor: {} }), { cursor: { firstBatch: [{ n: new Int32(4) }] } })
  t.match(await client.send({ delete: 'students', deletes: [{ q: { name: 'a', _id: 6 }, limit: 1 }, { q: { name: 'a' }, limit: 1 }, { q: { name: 'a' }, limit: 0 }] }), { n: new Int32(4) })
  t.same(await ids(client), [4, 6, 7, 8, 9, 10])
})

t.test('a walk that finds little goes on to the end, in turns', async t => {
  const { client } = await serverFor(t)
  await insert(client, Array.from({ length: 3000 }, (_, _id) => ({ _id, name: _id % 700 === 0 ? 'a' : 'b' })))
  const { cursor } = await client.send({ find: 'students', filter: { name: 'a' }, batchSize: 2 })
  t.same(cursor.firstBatch.map(({ _id }: Document) => Number(_id)), [0, 700])
  const more = await client.send({ getMore: cursor.id, collection: 'students' })
  t.same(more.cursor.nextBatch.map(({ _id }: Document) => Number(_id)), [1400, 2100, 2800])
  t.same(await ids(client, { filter: { _id: { $in: Array.from({ length: 2000 }, (_, index) => -index) } } }), [0], 'also where few of many _ids are there')
})

t.test('undefined can not be looked for, and two _ids at once find nothing', async t => {
  const { client } = await serverFor(t)
  const findBy = (...conditions: Field[]): Promise<Document> => client.send(documentOf([
    field(types.string, 'find', Buffer.from('\x09\0\0\0students\0', 'latin1')),
    field(types.object, 'filter', documentOf(conditions)),
    field(types.string, '$db', Buffer.from('\x08\0\0\0college\0', 'latin1'))
  ]))
  t.match(await findBy(field(types.undefined, '_id', Buffer.alloc(0))), { code: new Int32(2), codeName: 'BadValue' })
  const one = field(types.int32, '_id', Buffer.alloc(4))
  const two = field(types.int32, '_id', Buffer.from([2, 0, 0, 0]))
  await insert(client, [{ _id: 0 }, { _id: 2 }])
  t.match(await findBy(one, two), { cursor: { firstBatch: [] } })
  t.match(await findBy(one, one), { cursor: { firstBatch: [{ _id: new Int32(0) }] } })
})

t.test('a cursor gives what is left, in batches, and then is gone', async t => {
  const { client } = await serverFor(t)
  await insert(client, many)
  for (const sort of [{ _id: 1 }, { _id: -1 }]) {
    const { cursor } = await client.send({ find: 'students', sort, limit: 240 })
    t.equal(cursor.firstBatch.length, 101)
    const seen = cursor.firstBatch
    for (const batchSize of [100, 0]) {
      const more = await client.send({ getMore: cursor.id, collection: 'students', batchSize })
      seen.push(...more.cursor.nextBatch)
      t.same(more.cursor.id, batchSize === 0 ? Long.ZERO : cursor.id)
    }
    const wanted = sort._id === 1 ? many : many.toReversed()
    t.same(seen.map(({ _id }: Document) => Number(_id)), wanted.slice(0, 240).map(({ _id }) => _id))
    t.match(await client.send({ getMore: cursor.id, collection: 'students' }), { code: new Int32(43) })
  }
})

t.test('a cursor over a list of _ids goes on where it stopped', async t => {
  const { client } = await serverFor(t)
  await insert(client, many)
  const { cursor } = await client.send({ find: 'students', filter: { _id: { $in: [300, 1, 2, 3] } }, batchSize: 2 })
  t.equal(cursor.firstBatch.length, 2)
  t.match(await client.send({ getMore: cursor.id, collection: 'students' }), { cursor: { nextBatch: [{ _id: new Int32(3) }], id: Long.ZERO } })
})

t.test('a batch of 0 opens a cursor, a single batch opens none', async t => {
  const { client } = await serverFor(t)
  await insert(client, many)
  const { cursor } = await client.send({ find: 'students', batchSize: 0 })
  t.same(cursor.firstBatch, [])
  t.not(cursor.id.toNumber(), 0)
  t.match(await client.send({ find: 'students', batchSize: 2, singleBatch: true }), { cursor: { id: Long.ZERO } })
  t.match(await client.send({ killCursors: 'students', cursors: [cursor.id] }), { cursorsKilled: [cursor.id] })
})

t.test('a batch ends before it is too large for a message', async t => {
  const { client } = await serverFor(t)
  const text = 'x'.repeat(6_000_000)
  for (const _id of [1, 2, 3, 4]) await insert(client, [{ _id, text }])
  const { cursor } = await client.send({ find: 'students' })
  t.equal(cursor.firstBatch.length, 3)
  t.match(await client.send({ getMore: cursor.id, collection: 'students' }), { cursor: { nextBatch: [{ _id: new Int32(4) }], id: Long.ZERO } })
  t.equal((await find(client, { filter: { _id: { $in: [1, 2, 3, 4] } }, singleBatch: true })).length, 3)
})

t.test('a cursor belongs to its collection and ends with its session or by killCursors', async t => {
  const { client } = await serverFor(t)
  await insert(client, many)
  const lsid = { id: new Binary(Buffer.alloc(16, 1), 4) }
  const [a, b, c] = await Promise.all([lsid, undefined, undefined].map(async lsid => (await client.send({ find: 'students', lsid })).cursor.id))
  t.match(await client.send({ getMore: a, collection: 'other' }), { code: new Int32(13), codeName: 'Unauthorized' })
  t.same(await client.send({ endSessions: [lsid] }), { ok })
  t.match(await client.send({ getMore: a, collection: 'students' }), { codeName: 'CursorNotFound' })
  t.match(await client.send({ killCursors: 'students', cursors: [a, b] }), { cursorsKilled: [b], cursorsNotFound: [a], cursorsAlive: [], cursorsUnknown: [], ok })
  t.match(await client.send({ getMore: c, collection: 'students' }), { ok }, 'the other one lives')
})

t.test('delete removes by _id, one or all; what it refuses is a writeError', async t => {
  const { client } = await serverFor(t)
  await insert(client, many)
  const remove = (deletes: Document[], more: Document = {}): Promise<Document> => client.send({ delete: 'students', ...more }, { sequences: { deletes } })
  t.same(await remove([{ q: { _id: 1 }, limit: 1 }, { q: { _id: 1 }, limit: 1 }]), { n: new Int32(1), ok })
  t.same(await remove([{ q: { _id: { $in: [2, 3, 4] } }, limit: 1 }]), { n: new Int32(1), ok })
  t.same(await remove([{ q: { _id: { $in: [2, 3, 4] } }, limit: new Double(0) }]), { n: new Int32(2), ok })
  t.match(await remove([{ q: { gpa: /x/ }, limit: 1 }, { q: {}, limit: 1 }]), { n: new Int32(0), writeErrors: [{ index: new Int32(0), code: new Int32(115) }] })
  t.match(await remove([{ q: { gpa: /x/ }, limit: 1 }, { q: {}, limit: Long.fromNumber(1) }], { ordered: false }), { n: new Int32(1) })
  t.equal((await ids(client, { limit: 1 }))[0], 5)
  t.same(await remove([{ q: {}, limit: 0 }]), { n: new Int32(245), ok })
  t.same(await ids(client), [])
})

t.test('count and the pipeline of countDocuments agree', async t => {
  const { client } = await serverFor(t)
  const countDocuments = async (filter: Document): Promise<Document[]> => {
    const pipeline = [{ $match: filter }, { $group: { _id: 1, n: { $sum: 1 } } }]
    return (await client.send({ aggregate: 'students', pipeline, cursor: {} })).cursor.firstBatch
  }
  t.same(await countDocuments({}), [], 'no group without documents')
  t.same(await client.send({ count: 'students' }), { n: new Int32(0), ok })
  const documents = Array.from({ length: 25_000 }, (_, _id) => ({ _id }))
  t.same((await insert(client, documents)).n, new Int32(25_000))
  t.same(await countDocuments({}), [{ _id: new Int32(1), n: new Int32(25_000) }])
  t.same(await client.send({ count: 'students' }), { n: new Int32(25_000), ok })
  t.same(await countDocuments({ _id: { $in: [1, 2, -1] } }), [{ _id: new Int32(1), n: new Int32(2) }])
  t.equal((await find(client, { batchSize: 1200, singleBatch: true })).length, 1200)
})

t.test('drop empties a collection, dropDatabase all of a database and of no other', async t => {
  const { client } = await serverFor(t)
  for (const [$db, collection] of [['college', 'a'], ['college', 'ab'], ['college2', 'a']]) {
    await client.send({ insert: collection, $db }, { sequences: { documents: many } })
  }
  const left = (): Promise<number[]> => Promise.all([['college', 'a'], ['college', 'ab'], ['college2', 'a']].map(async ([$db, collection]) => {
    return Number((await client.send({ count: collection, $db })).n)
  }))
  await client.send({ delete: 'a', deletes: [{ q: {}, limit: 0 }] })
  t.same(await client.send({ drop: 'a' }), { nIndexesWas: new Int32(1), ns: 'college.a', ok }, 'an empty collection is one still')
  t.same(await client.send({ drop: 'a' }), { ok })
  t.same(await left(), [0, 250, 250])
  t.same(await client.send({ dropDatabase: 1 }), { dropped: 'college', ok })
  t.same(await client.send({ dropDatabase: 1 }), { ok })
  t.same(await left(), [0, 0, 250])
})
