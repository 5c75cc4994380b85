import { BSONRegExp, Binary, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, type Document } from 'bson'
import t from 'tap'
import { Heap } from '../../embedded/heap.js'
import { serverFor, WireClient } from './support.js'

async function sorted (client: WireClient, sort: Document, more: Document = {}): Promise<number[]> {
  const { cursor } = await client.send({ find: 'values', sort, batchSize: 10_000, ...more })
  return cursor.firstBatch.map(({ _id }: Document) => Number(_id))
}

function numbers (count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

t.test('values of all types sort as in MongoDB, an array by its least element, or by its greatest where that comes first', async t => {
  const { client } = await serverFor(t)
  const ascending = [
    new MinKey(), [], null, NaN, -Infinity, Long.MIN_VALUE, new Double(-0.5), Decimal128.fromString('-1E-400'), 0, Decimal128.fromString('1E-400'), [new Double(0.05), 'z'], Decimal128.fromString('0.1'),
    new Double(0.1), new Double(2 ** 53), Long.fromBigInt(2n ** 53n + 1n), new Double(2 ** 53 + 2), Long.fromBigInt(2n ** 62n + 1n), Decimal128.fromString('1E+400'), Infinity,
    '', 'a', 'ab', 'b', {}, { a: 1 }, [[1]], new Binary(Buffer.from('a')), new ObjectId('0123456789abcdef01234567'), false, true, new Date(-1), new Date(1), new Timestamp({ t: 1, i: 1 }),
    new BSONRegExp('a'), new Code('x'), new MaxKey()
  ]
  await client.send({ insert: 'values', documents: ascending.map((k, _id) => ({ _id, k })) })
  const order = numbers(ascending.length)
  t.same(await sorted(client, { k: 1, _id: 1 }), order)
  const greatest = order.filter(place => place !== 10)
  const descending = greatest.toReversed()
  // its greatest element is a 'z'
  descending.splice(descending.indexOf(22), 0, 10)
  t.same(await sorted(client, { k: -1, _id: 1 }), descending)
})

t.test('a sort has up to four keys in any direction; what is equal in all of them stays in the order of _id', async t => {
  const { client } = await serverFor(t)
  const documents = numbers(60).map(_id => ({ _id, a: _id % 2, b: _id % 3, c: _id % 5 }))
  await client.send({ insert: 'values', documents })
  const by = (compare: (a: typeof documents[0], b: typeof documents[0]) => number): number[] => documents.toSorted(compare).map(({ _id }) => _id)
  t.same(await sorted(client, { a: 1, b: -1 }), by((x, y) => x.a - y.a || y.b - x.b))
  t.same(await sorted(client, { c: -1, a: 1, b: 1, _id: -1 }), by((x, y) => y.c - x.c || x.a - y.a || x.b - y.b || y._id - x._id))
  t.same(await sorted(client, { none: 1, _id: new Int32(-1) }), numbers(60).toReversed())
  t.same(await sorted(client, { _id: -1, a: 1 }), numbers(60).toReversed())
  const pages = { skip: 7, limit: 5 }
  t.same(await sorted(client, { a: -1, _id: 1 }, pages), by((x, y) => y.a - x.a).slice(7, 12))
  t.same(await sorted(client, { _id: 1 }, { ...pages, filter: { a: 1 } }), [15, 17, 19, 21, 23])
  t.same(await sorted(client, { _id: 1 }, { skip: 58 }), [58, 59])
  for (const sort of [{ a: 1 }, { _id: 1 }]) t.same(await sorted(client, sort, { skip: 61 }), [])
})

t.test('a sort keeps no more than skip and limit ask for, and is refused where that is too much', async t => {
  const { client, server } = await serverFor(t, { sortLimitBytes: 20_000 })
  const documents = numbers(3000).map(_id => ({ _id, k: (_id * 7919) % 3000, text: 'x'.repeat(100) }))
  await client.send({ insert: 'values' }, { sequences: { documents } })
  const wanted = documents.toSorted((a, b) => a.k - b.k).map(({ _id }) => _id)
  t.same(await sorted(client, { k: 1 }, { skip: 10, limit: 20 }), wanted.slice(10, 30))
  t.match(await client.send({ find: 'values', sort: { k: 1 } }), { code: new Int32(292), codeName: 'QueryExceededMemoryLimitNoDiskUseAllowed' })
  t.same(await sorted(client, { k: 1 }, { limit: 20, projection: { k: 1 } }), wanted.slice(0, 20))
  const { cursor } = await client.send({ find: 'values', sort: { k: 1 }, limit: 30, batchSize: 10 })
  t.equal(server.cursors.size, 1)
  const more = await client.send({ getMore: cursor.id, collection: 'values' })
  t.same([...cursor.firstBatch, ...more.cursor.nextBatch].map(({ _id }: Document) => Number(_id)), wanted.slice(0, 30))
})

t.test('large documents come in batches that a message holds', async t => {
  const { client } = await serverFor(t)
  for (const _id of [1, 2, 3]) await client.send({ insert: 'values', documents: [{ _id, text: 'x'.repeat(9 * 1024 * 1024) }] })
  const { cursor } = await client.send({ find: 'values', sort: { none: 1, _id: -1 } })
  t.equal(cursor.firstBatch.length, 2)
  const { cursor: { nextBatch } } = await client.send({ getMore: cursor.id, collection: 'values' })
  t.match(nextBatch, [{ _id: 1 }])
})

t.test('while a sort is at work, others are answered', async t => {
  const { client, socketPath } = await serverFor(t)
  await client.send({ insert: 'values' }, { sequences: { documents: numbers(20_000).map(_id => ({ _id, k: -_id })) } })
  const other = await WireClient.open(socketPath)
  const state = { isFound: false, answered: 0 }
  const found = sorted(client, { k: 1 }, { limit: 10 }).finally(() => { state.isFound = true })
  for (; !state.isFound; state.answered++) await other.send({ ping: 1 })
  t.equal((await found)[0], 19_999)
  t.ok(state.answered > 5, `${state.answered} answers meanwhile`)
  other.socket.destroy()
})

t.test('a heap gives what it got, the last one first', async t => {
  const heap = new Heap<number>((a, b) => a - b)
  for (const n of [5, 3, 8, 8, 1, 9, 2, 0, 0, 4]) heap.push(n)
  t.equal(heap.last, 9)
  t.same(numbers(10).map(() => heap.pop()), [9, 8, 8, 5, 4, 3, 2, 1, 0, 0])
})
