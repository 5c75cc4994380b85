import { BSONRegExp, BSONSymbol, Binary, Code, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp, type Document } from 'bson'
import t from 'tap'
import { serverFor, type WireClient } from './support.js'

/** By `_id`: a value of each kind that compares in a way of its own. */
const stored: Record<string, unknown> = {
  min: new MinKey(),
  null: null,
  nan: NaN,
  decimalNaN: Decimal128.fromString('NaN'),
  five: 5,
  long: Long.fromBigInt(2n ** 53n + 1n),
  double: new Double(2 ** 53),
  tenth: new Double(0.1),
  decimalTenth: Decimal128.fromString('0.1'),
  infinity: Infinity,
  text: 'ab',
  upper: 'AB',
  accent: 'É',
  symbol: new BSONSymbol('ab'),
  empty: '',
  object: { a: 1 },
  larger: { a: 2 },
  nothing: [],
  numbers: [1, 7],
  mixed: ['ab', null],
  nested: [[1]],
  binary: new Binary(Buffer.from('a')),
  other: new Binary(Buffer.from('a'), 128),
  id: new ObjectId('0123456789abcdef01234567'),
  false: false,
  true: true,
  date: new Date(5),
  timestamp: new Timestamp({ t: 1, i: 1 }),
  expression: new BSONRegExp('ab', ''),
  folded: new BSONRegExp('ab', 'i'),
  code: new Code('x'),
  max: new MaxKey(),
  zero: 'a\0b'
}
const all = [...Object.keys(stored), 'missing']

async function found (client: WireClient, filter: Document): Promise<string[]> {
  const { cursor } = await client.send({ find: 'values', filter, batchSize: 1000 })
  return cursor.firstBatch.map(({ _id }: Document) => _id)
}

async function filled (client: WireClient): Promise<void> {
  await client.send({ insert: 'values', documents: [...Object.entries(stored).map(([_id, k]) => ({ _id, k })), { _id: 'missing' }] })
}

const without = (...names: string[]): string[] => all.filter(name => !names.includes(name))

const cases: Array<[Document, string[]]> = [
  [{ k: 5 }, ['five']],
  [{ k: Decimal128.fromString('5.0') }, ['five']],
  [{ k: NaN }, ['nan', 'decimalNaN']],
  [{ k: new Double(0.1) }, ['tenth']],
  [{ k: Decimal128.fromString('0.1') }, ['decimalTenth']],
  [{ k: Long.fromBigInt(2n ** 53n) }, ['double']],
  [{ k: { $gt: new Double(2 ** 53) } }, ['long', 'infinity']],
  [{ k: { $gte: new Double(2 ** 53), $lt: Infinity } }, ['long', 'double']],
  [{ k: { $lt: 5 } }, ['tenth', 'decimalTenth', 'numbers']],
  [{ k: { $lte: NaN } }, ['nan', 'decimalNaN']],
  [{ k: { $gte: NaN } }, ['nan', 'decimalNaN']],
  [{ k: { $gt: NaN } }, []],
  [{ k: { $gt: 1, $lt: 7 } }, ['five', 'numbers']],
  [{ k: null }, ['null', 'mixed', 'missing']],
  [{ k: { $gte: null } }, ['null', 'mixed', 'missing']],
  [{ k: { $lt: null } }, []],
  [{ k: { $ne: null } }, without('null', 'mixed', 'missing')],
  [{ k: 'ab' }, ['text', 'symbol', 'mixed']],
  [{ k: { $gt: '' } }, ['text', 'upper', 'accent', 'symbol', 'mixed', 'zero']],
  [{ k: { $gte: 'AB', $lt: 'B' } }, ['upper']],
  [{ k: { a: new Double(1) } }, ['object']],
  [{ k: { $gt: { a: 1 } } }, ['larger']],
  [{ k: [1, 7] }, ['numbers']],
  [{ k: [1] }, ['nested']],
  [{ k: [] }, ['nothing']],
  [{ k: { $gt: [0] } }, ['numbers', 'mixed', 'nested']],
  [{ k: new Binary(Buffer.from('a')) }, ['binary']],
  [{ k: { $lte: true } }, ['false', 'true']],
  [{ k: { $gte: new Date(5) } }, ['date']],
  [{ k: { $eq: new BSONRegExp('ab', 'i') } }, ['folded']],
  [{ k: { $gt: new MinKey() } }, without('min')],
  [{ k: { $lt: new MinKey() } }, []],
  [{ k: { $lte: new MaxKey() } }, all],
  [{ k: { $gte: new MaxKey() } }, ['max']],
  [{ k: { $in: [5, 'ab', null] } }, ['null', 'five', 'text', 'symbol', 'mixed', 'missing']],
  [{ k: { $in: [] } }, []],
  [{ k: { $nin: [5, null, [1]] } }, without('five', 'null', 'mixed', 'missing', 'nested')],
  [{ k: { $exists: true } }, without('missing')],
  [{ k: { $exists: new Double(0.5) } }, without('missing')],
  [{ k: { $exists: 'no' } }, without('missing')],
  [{ k: { $exists: new Double(-0) } }, ['missing']],
  [{ k: { $exists: Long.fromNumber(0) } }, ['missing']],
  [{ k: { $exists: null } }, ['missing']],
  [{ k: { $type: 'number' } }, ['nan', 'decimalNaN', 'five', 'long', 'double', 'tenth', 'decimalTenth', 'infinity', 'numbers']],
  [{ k: { $type: [Long.fromNumber(16), new Double(18), 'symbol'] } }, ['five', 'long', 'symbol', 'numbers']],
  [{ k: { $type: -1 } }, ['min']],
  [{ k: { $type: 'array' } }, ['nothing', 'numbers', 'mixed', 'nested']],
  [{ k: { $not: { $type: 'array' } } }, without('nothing', 'numbers', 'mixed', 'nested')],
  [{ k: { $not: { $gt: 1, $lt: 7 } } }, without('five', 'numbers')],
  [{ k: { $regex: 'b' } }, ['text', 'symbol', 'mixed', 'zero']],
  [{ k: { $regex: 'ab', $options: '' } }, ['text', 'symbol', 'mixed', 'expression']],
  [{ k: { $regex: 'AB', $options: 'i' } }, ['text', 'upper', 'symbol', 'mixed']],
  [{ k: { $options: 'i', $regex: 'é' } }, ['accent']],
  [{ k: { $regex: '\\.' } }, []],
  [{ k: { $regex: 'a\\x00B', $options: 'i' } }, ['zero']],
  [{ k: { $regex: 'a\\x00b' } }, ['zero']],
  [{ $and: [{ k: { $gt: 1 } }, { k: { $lt: 6 } }] }, ['five', 'numbers']],
  [{ $or: [{ k: 5 }, { _id: 'text' }] }, ['five', 'text']],
  [{ $nor: [{ k: { $exists: true } }, { k: 5 }] }, ['missing']],
  [{ _id: { $gt: 'nested' } }, all.filter(name => name > 'nested')],
  [{ _id: { $ne: 'text', $in: ['text', 'five'] } }, ['five']],
  [{ _id: { $regex: 'decimal' } }, ['decimalNaN', 'decimalTenth']],
  [{ _id: { $type: 'objectId' } }, []]
]

t.test('filters find what MongoDB finds, values of all types compared as there', async t => {
  const { client } = await serverFor(t)
  await filled(client)
  for (const [filter, wanted] of cases) t.same(await found(client, filter), wanted.toSorted(), JSON.stringify(filter))
})

t.test('a count looks at what the filter means, up to its limit, and of nothing has no document', async t => {
  const { client } = await serverFor(t)
  await filled(client)
  const count = async (...stages: Document[]): Promise<Document[]> => {
    const { cursor } = await client.send({ aggregate: 'values', pipeline: stages, cursor: {} })
    return cursor.firstBatch.map((document: Document) => Object.fromEntries(Object.entries(document).map(([name, n]) => [name, Number(n)])))
  }
  t.same(await count({ $match: { k: { $type: 'number' } } }, { $count: 'total' }), [{ total: 9 }])
  for (const limit of [3, Long.fromNumber(3), new Double(3)]) t.same(await count({ $match: { k: { $type: 'number' } } }, { $limit: limit }, { $count: 'n' }), [{ n: 3 }])
  t.same(await count({ $match: {} }, { $limit: 5 }, { $count: 'n' }), [{ n: 5 }])
  t.same(await count({ $match: { k: 'none' } }, { $limit: 5 }, { $count: 'n' }), [])
})

t.test('a change on a condition happens to the document that meets it, and an upsert has what its filter equals', async t => {
  const { client } = await serverFor(t)
  await client.send({ insert: 'values', documents: [{ _id: 1, name: null, course: [1] }] })
  const modify = (query: Document, more: Document = {}): Promise<Document> => client.send({ findAndModify: 'values', query, update: { $set: { seen: true } }, new: true, ...more })
  t.match(await modify({ _id: 1, name: { $eq: null }, gpa: { $exists: true } }), { value: null })
  t.match(await modify({ _id: 1, name: { $eq: null }, course: { $eq: [1] }, gpa: { $exists: false } }), { value: { _id: 1, seen: true } })
  const upserted = await modify({ $and: [{ _id: { $in: [2] } }, { name: { $eq: 'x' } }], course: { a: 1 }, n: { $gt: 3 }, gone: { $exists: false } }, { upsert: true })
  t.equal(JSON.stringify(upserted.value), '{"_id":2,"course":{"a":1},"name":"x","seen":true}')
})

t.test('a long list finds what its values find one by one, of every type', async t => {
  const { client } = await serverFor(t)
  await filled(client)
  const { expression, folded, ...values } = stored
  const found = async (k: unknown) => (await client.send({ find: 'values', filter: { k }, batchSize: 1000 })).cursor.firstBatch.map(({ _id }: Document) => _id)
  for (const given of [Object.values(values), Object.values(values).slice(8), Object.values(values).filter(value => value !== null)]) {
    const one = new Set((await Promise.all(given.map(value => found({ $eq: value })))).flat())
    t.ok(given.length > 8)
    t.same(await found({ $in: given }), all.filter(name => one.has(name)).sort())
    t.same(await found({ $nin: given }), all.filter(name => !one.has(name)).sort())
  }
})
