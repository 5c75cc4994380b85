import { Double, Int32, Long, serialize, type Document } from 'bson'
import t from 'tap'
import { documentOf, fieldsOf, types, type Field } from '../../embedded/bson.js'
import { serverFor, type WireClient } from './support.js'

const ok = new Double(1)

function field (type: number, name: string, value: Buffer): Field {
  return { type, name, value }
}

function insert (client: WireClient, documents: Document[]): Promise<Document> {
  return client.send({ insert: 'students' }, { sequences: { documents } })
}

async function find (client: WireClient): Promise<Document[]> {
  return (await client.send({ find: 'students' })).cursor.firstBatch
}

function modify (update: Document, more: Document = {}): Document {
  return { findAndModify: 'students', query: { _id: 1 }, update, new: true, ...more }
}

function set (fields: Document, more?: Document): Document {
  return modify({ $set: fields }, more)
}

t.test('$set changes the named fields in place and appends new ones in order of name, numbers by value', async t => {
  const { client } = await serverFor(t)
  await insert(client, [{ _id: 1, name: 'a', gpa: new Double(3), course: 'x' }])
  t.same(await client.send(set({ gpa: new Double(2), z: 1, b: 'new', 10: 1, 9: 1, name: 'b' })), {
    lastErrorObject: { n: new Int32(1), updatedExisting: true },
    value: { _id: new Int32(1), name: 'b', gpa: new Double(2), course: 'x', 9: new Int32(1), 10: new Int32(1), b: 'new', z: new Int32(1) },
    ok
  })
  const [stored] = await find(client)
  t.same(Object.keys(stored ?? {}).filter(name => !/\d/.test(name)), ['_id', 'name', 'gpa', 'course', 'b', 'z'])
  t.match(await client.send(set({ name: 'c' }, { new: false })), { value: { name: 'b' } }, 'the old one on request')
  t.match(await find(client), [{ name: 'c', gpa: new Double(2) }])
})

t.test('a $set that changes nothing answers the document', async t => {
  const { client } = await serverFor(t)
  await insert(client, [{ _id: 1, name: 'a' }])
  for (const fields of [{}, { name: 'a' }, { _id: new Double(1) }]) {
    t.match(await client.send(set(fields)), { lastErrorObject: { updatedExisting: true }, value: { _id: new Int32(1), name: 'a' } })
  }
  t.match(await client.send(set({ name: 1 })), { value: { name: new Int32(1) } }, 'another type is a change')
})

t.test('findAndModify of a missing document answers null', async t => {
  const { client } = await serverFor(t)
  t.same(await client.send(set({ name: 'a' })), { lastErrorObject: { n: new Int32(0), updatedExisting: false }, value: null, ok })
})

t.test('$set refuses a field twice and a document over 16 MB', async t => {
  const { client } = await serverFor(t)
  const text = 'x'.repeat(9_000_000)
  await insert(client, [{ _id: 1, text }])
  t.match(await client.send(set({ more: text })), { code: new Int32(17419) })
  const change = (name: string): Field => field(types.boolean, name, Buffer.from([1]))
  const operator = (...names: string[]): Field => field(types.object, '$set', documentOf(names.map(change)))
  const update = (...operators: Field[]): Buffer => documentOf([
    field(types.string, 'findAndModify', Buffer.from('\x09\0\0\0students\0', 'latin1')),
    field(types.object, 'query', Buffer.from(serialize({ _id: 1 }))),
    field(types.object, 'update', documentOf(operators)),
    field(types.string, '$db', Buffer.from('\x08\0\0\0college\0', 'latin1'))
  ])
  t.match(await client.send(update(operator('a', 'a'))), { code: new Int32(40), codeName: 'ConflictingUpdateOperators' })
  t.match(await client.send(update(operator('a'), operator('a'))), { code: new Int32(40) }, 'nor in two of them')
  t.match(await client.send(update(operator('a'), operator('b'))), { lastErrorObject: { n: new Int32(1) } })
  t.match(await find(client), [{ a: true, b: true }])
})

t.test('$inc adds in the wider of the two types, and a sum too large for int32 becomes an int64', async t => {
  const { client } = await serverFor(t)
  const sums: Array<[unknown, unknown, unknown]> = [
    [undefined, new Int32(2), new Int32(2)],
    [undefined, Long.fromNumber(2), Long.fromNumber(2)],
    [new Int32(1), new Int32(2), new Int32(3)],
    [new Int32(1), new Int32(-2), new Int32(-1)],
    [new Int32(1), Long.fromNumber(2), Long.fromNumber(3)],
    [Long.fromNumber(1), new Int32(2), Long.fromNumber(3)],
    [new Int32(1), new Double(2), new Double(3)],
    [Long.fromNumber(1), new Double(0.5), new Double(1.5)],
    [new Double(1.5), new Double(0.5), new Double(2)],
    [new Double(1), new Int32(2), new Double(3)],
    [new Int32(2 ** 31 - 1), new Int32(1), Long.fromNumber(2 ** 31)],
    [new Int32(-(2 ** 31)), new Int32(-1), Long.fromNumber(-(2 ** 31) - 1)],
    [new Int32(2 ** 31 - 1), new Int32(0), new Int32(2 ** 31 - 1)],
    [Long.MAX_VALUE, new Double(1), new Double(2 ** 63)]
  ]
  for (const [_id, [n, by, sum]] of sums.entries()) {
    await insert(client, [n === undefined ? { _id } : { _id, n }])
    t.same((await client.send(modify({ $inc: { n: by } }, { query: { _id } }))).value, { _id: new Int32(_id), n: sum }, `${n} + ${by}`)
  }
})

t.test('$inc refuses what is no number and what is too large for int64, and changes nothing', async t => {
  const { client } = await serverFor(t)
  const before = { _id: 1, text: 'x', nothing: null, large: Long.MAX_VALUE, small: Long.MIN_VALUE, n: 1 }
  await insert(client, [before])
  for (const [fields, code, codeName] of [
    [{ text: 1 }, 14, 'TypeMismatch'],
    [{ n: 1, nothing: 1 }, 14, 'TypeMismatch'],
    [{ n: 1, large: 1 }, 2, 'BadValue'],
    [{ small: Long.fromNumber(-1) }, 2, 'BadValue']
  ]) t.match(await client.send(modify({ $inc: fields })), { ok: new Double(0), code: new Int32(Number(code)), codeName })
  t.same(await find(client), [{ ...before, _id: new Int32(1), n: new Int32(1) }])
})

t.test('a change finds its document behind any number of ids that are not there', async t => {
  const { client } = await serverFor(t)
  await insert(client, [{ _id: 5000, name: 'a' }])
  const $in = Array.from({ length: 5001 }, (_, index) => index)
  t.match(await client.send(set({ name: 'b' }, { query: { _id: { $in } } })), { lastErrorObject: { n: new Int32(1) }, value: { _id: new Int32(5000), name: 'b' } })
  t.match(await client.send(set({ name: 'c' }, { query: { _id: { $in }, name: 'none' } })), { lastErrorObject: { n: new Int32(0) }, value: null })
})

t.test('an upsert changes what is there, or makes it of the filter and the update', async t => {
  const { client } = await serverFor(t)
  const upsert = (update: Document, more: Document = {}): Promise<Document> => client.send(modify(update, { upsert: true, ...more }))
  const update = { $inc: { n: 1 }, $set: { b: 'new', 10: 1, 9: 1 }, $setOnInsert: { a: 'first' } }
  t.same(await upsert(update), {
    lastErrorObject: { n: new Int32(1), updatedExisting: false, upserted: new Int32(1) },
    value: { _id: new Int32(1), 9: new Int32(1), 10: new Int32(1), a: 'first', b: 'new', n: new Int32(1) },
    ok
  })
  t.same(await upsert(update, { new: false }), {
    lastErrorObject: { n: new Int32(1), updatedExisting: true },
    value: { _id: new Int32(1), 9: new Int32(1), 10: new Int32(1), a: 'first', b: 'new', n: new Int32(1) },
    ok
  })
  t.match(await upsert({ $setOnInsert: { n: 9 } }), { value: { n: new Int32(2) } })
  t.same(await upsert({ $set: {} }, { query: { _id: { $in: ['x'] } }, new: false }), {
    lastErrorObject: { n: new Int32(1), updatedExisting: false, upserted: 'x' }, value: null, ok
  })
  const { value } = await upsert({ $set: { c: 'set' } }, { query: { z: { $eq: 'z' }, _id: 'y', b: 'b', c: 'c' } })
  t.same(Object.entries(value), [['_id', 'y'], ['b', 'b'], ['c', 'set'], ['z', 'z']])
  t.equal((await find(client)).length, 3)
})

t.test('an upsert is a duplicate where the _id is there and the rest of the filter does not fit', async t => {
  const { client } = await serverFor(t)
  await insert(client, [{ _id: 1, token_hash: 'abc' }])
  const change = { $set: { token_hash: 'def' } }
  t.same(await client.send(modify(change, { query: { _id: 1, token_hash: 'x' } })), {
    lastErrorObject: { n: new Int32(0), updatedExisting: false }, value: null, ok
  }, 'without upsert there is none')
  t.same(await client.send(modify(change, { query: { _id: 1, token_hash: 'x' }, upsert: true })), {
    ok: new Double(0),
    code: new Int32(11000),
    codeName: 'DuplicateKey',
    errmsg: 'E11000 duplicate key error collection: college.students index: _id_ dup key: { _id: 1 }',
    keyPattern: { _id: new Int32(1) },
    keyValue: { _id: new Int32(1) }
  })
  t.match(await client.send(modify(change, { query: { _id: 1, token_hash: 'abc' }, upsert: true })), { value: { token_hash: 'def' } })
  const condition = field(types.string, 'a', Buffer.from('\x02\0\0\0x\0', 'latin1'))
  const query = documentOf([field(types.int32, '_id', Buffer.alloc(4)), condition, condition])
  const command = serialize(modify(change, { upsert: true, $db: 'college' }))
  const fields = fieldsOf(Buffer.from(command)).map(one => one.name === 'query' ? field(types.object, 'query', query) : one)
  t.match(await client.send(documentOf(fields)), { code: new Int32(54), codeName: 'NotSingleValueField' })
})
