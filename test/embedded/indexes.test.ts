import { Double, Int32, type Document } from 'bson'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { Collection, namespaces, type Walk } from '../../embedded/collection.js'
import { MongoError } from '../../embedded/errors.js'
import { serve } from '../../embedded/server.js'
import { Storage } from '../../embedded/storage.js'
import { Sweeper } from '../../embedded/sweeper.js'
import { directoryFor, serverFor, WireClient } from './support.js'

const ok = new Double(1)
const noon = Date.UTC(2030, 0, 1, 12)
const expiresAt = { key: { expires_at: 1 }, name: 'expires_at_1', expireAfterSeconds: 0 }

function at (ms: number): Date {
  return new Date(noon + ms)
}

function create (client: WireClient, ...indexes: Document[]): Promise<Document> {
  return client.send({ createIndexes: 'tokens', indexes: indexes.map(index => ({ ...expiresAt, ...index })) })
}

async function ids (client: WireClient, collection = 'tokens'): Promise<unknown[]> {
  const { cursor } = await client.send({ find: collection })
  return cursor.firstBatch.map(({ _id }: Document) => Number(_id))
}

/** Every entry has its document and each document with a date its entry: compared with what a scan says. */
function entriesOf (storage: Storage): string[] {
  return [...storage.entries.getRange({})].map(({ value }) => value.toString('hex')).sort()
}

function documentsOf (storage: Storage): string[] {
  return [...storage.documents.getKeys()].map(key => key.toString('hex')).sort()
}

t.test('createIndexes makes the collection and the index, once', async t => {
  const { client } = await serverFor(t)
  t.same(await create(client, {}), {
    numIndexesBefore: new Int32(1), numIndexesAfter: new Int32(2), createdCollectionAutomatically: true, ok
  })
  t.same(await create(client, {}), {
    numIndexesBefore: new Int32(2), numIndexesAfter: new Int32(2), createdCollectionAutomatically: false, note: 'all indexes already exist', ok
  })
  t.same(await create(client, {}, { key: { used_at: new Double(1) }, name: 'used', expireAfterSeconds: new Double(3600) }), {
    numIndexesBefore: new Int32(2), numIndexesAfter: new Int32(3), createdCollectionAutomatically: false, ok
  })
  t.same(await client.send({ drop: 'tokens' }), { nIndexesWas: new Int32(3), ns: 'college.tokens', ok })
  t.match(await create(client, {}), { numIndexesBefore: new Int32(1), createdCollectionAutomatically: true })
})

t.test('an index that differs from one of the same name or key is refused, and none of its request is made', async t => {
  const { client } = await serverFor(t)
  await create(client, {}, { key: { used_at: 1 }, name: 'used' })
  for (const [index, code, codeName] of [
    [{ expireAfterSeconds: 1 }, 85, 'IndexOptionsConflict'],
    [{ name: 'other' }, 85, 'IndexOptionsConflict'],
    [{ key: { other: 1 } }, 86, 'IndexKeySpecsConflict'],
    [{ key: { used_at: 1 } }, 86, 'IndexKeySpecsConflict']
  ] as const) t.match(await create(client, { key: { fine: 1 }, name: 'fine' }, index), { ok: new Double(0), code: new Int32(code), codeName })
  t.match(await create(client, {}), { numIndexesBefore: new Int32(3) })
})

t.test('what has expired is removed, by each index of a collection; what has no date never is', async t => {
  let now = noon
  const { client, server } = await serverFor(t, { expiry: { now: () => now } })
  const { sweeper, storage } = server
  await client.send({ insert: 'tokens', documents: [{ _id: 1, expires_at: at(-1) }, { _id: 2, expires_at: at(1000) }] })
  await create(client, {}, { key: { used_at: 1 }, name: 'used', expireAfterSeconds: 10 })
  await client.send({ createIndexes: 'tokens', indexes: [{ key: { gone_at: 1, _id: 1 }, name: 'gone' }] })
  await client.send({
    insert: 'tokens',
    documents: [
      { _id: 3, expires_at: at(0) }, { _id: 4, expires_at: at(1) }, { _id: 5, expires_at: [at(5000), 'x', at(-5)] }, { _id: 6, expires_at: [at(5000)] },
      { _id: 7, expires_at: noon - 1 }, { _id: 8, expires_at: null }, { _id: 9, expires_at: [] }, { _id: 10, expires_at: { at: at(-1) } }, { _id: 11 },
      { _id: 12, used_at: at(-10_000) }, { _id: 13, used_at: at(-9999), expires_at: new Date(noon + 20_000) }, { _id: 14, expires_at: new Date(-1) }
    ]
  })
  await client.send({ insert: 'other', documents: [{ _id: 1, expires_at: at(-1) }] })
  await sweeper.sweep()
  t.same(await ids(client), [2, 4, 6, 7, 8, 9, 10, 11, 13])
  t.same(await ids(client, 'other'), [1], 'a collection without the index keeps all')
  now += 1000
  await Promise.all([sweeper.sweep(), sweeper.sweep()])
  t.same(await ids(client), [6, 7, 8, 9, 10, 11])
  t.equal(entriesOf(storage).length, 7)
})

t.test('an entry goes with its document: changed, deleted, dropped, or put in its place anew', async t => {
  const { client, server: { storage, sweeper } } = await serverFor(t, { expiry: { now: () => noon } })
  await create(client, {})
  await client.send({ insert: 'tokens', documents: [1, 2, 3, 4].map(_id => ({ _id, expires_at: at(-1), n: 1 })) })
  const modify = (_id: number, update: Document): Promise<Document> => client.send({ findAndModify: 'tokens', query: { _id }, update, upsert: true })
  await modify(1, { $set: { expires_at: at(5) } })
  await modify(2, { $inc: { n: 1 } })
  await modify(3, { $set: { expires_at: 'never' } })
  await modify(5, { $setOnInsert: { expires_at: at(5) } })
  await client.send({ delete: 'tokens', deletes: [{ q: { _id: 4 }, limit: 1 }] })
  t.equal(entriesOf(storage).length, 3)
  t.ok(entriesOf(storage).every(key => documentsOf(storage).includes(key)))
  await sweeper.sweep()
  t.same(await ids(client), [1, 3, 5])
  await client.send({ dropDatabase: 1 })
  t.same([entriesOf(storage), documentsOf(storage), namespaces(storage)], [[], [], []])
})

t.test('a large collection gets its index, and loses what expired, in turns with other work', async t => {
  const { client, server: { storage, sweeper } } = await serverFor(t, { expiry: { now: () => noon } })
  const documents = Array.from({ length: 3000 }, (_, _id) => ({ _id, expires_at: at(_id % 2 === 0 ? -1 : 1) }))
  await client.send({ insert: 'tokens' }, { sequences: { documents } })
  const created = create(client, {})
  await client.send({ insert: 'tokens', documents: [{ _id: -1, expires_at: at(-1) }, { _id: 5000, expires_at: at(-1) }] })
  await created
  t.same(entriesOf(storage), documentsOf(storage))
  let largest = 0
  const { transactionSync } = storage.root
  t.intercept(storage.root, 'transactionSync', {
    value: (work: () => void) => {
      const before = storage.documents.getKeysCount()
      const result = transactionSync.call(storage.root, work)
      largest = Math.max(largest, before - storage.documents.getKeysCount())
      return result
    }
  })
  await sweeper.sweep()
  t.equal(largest, 500)
  t.equal(documentsOf(storage).length, 1500)
  t.same(entriesOf(storage), documentsOf(storage))
})

t.test('a long key and a long field have entries too', async t => {
  const { client, server: { storage, sweeper } } = await serverFor(t, { expiry: { now: () => noon } })
  const field = 'f'.repeat(3000)
  await client.send({ createIndexes: 'tokens', indexes: [{ ...expiresAt, key: { [field]: 1 } }] })
  const documents = ['a', 'b', 'c'].map((last, index) => ({ _id: 'x'.repeat(3000) + last, [field]: at(index - 1) }))
  await client.send({ insert: 'tokens', documents })
  t.equal(entriesOf(storage).length, 3)
  await sweeper.sweep()
  t.same(entriesOf(storage), documentsOf(storage))
  t.equal(entriesOf(storage).length, 1)
})

t.test('an index whose build a crash cut short is built by the next call', async t => {
  const { client, server: { storage } } = await serverFor(t)
  await client.send({ insert: 'tokens', documents: [{ _id: 1, expires_at: at(0) }] })
  const collection = new Collection(storage, 'college.tokens')
  await collection.write(() => collection.save([{ name: 'expires_at_1', field: 'expires_at', expireAfterSeconds: 0, built: false }]))
  t.same(entriesOf(storage), [])
  t.same(await create(client, {}), { numIndexesBefore: new Int32(1), numIndexesAfter: new Int32(2), createdCollectionAutomatically: false, ok })
  t.same(entriesOf(storage), documentsOf(storage))
  t.match(await create(client, {}), { note: 'all indexes already exist' })
})

t.test('a build that ends half way goes on there, and what is written meanwhile, behind and before, has its entries', async t => {
  const { client, server: { storage } } = await serverFor(t)
  const documents = Array.from({ length: 5000 }, (_, _id) => ({ _id, name: `name ${_id % 70}` }))
  await client.send({ insert: 'tokens' }, { sequences: { documents } })
  const { write } = storage
  let writes = 0
  const failing = t.intercept(storage, 'write', {
    value: (work: () => unknown) => ++writes > 3 ? Promise.reject(new Error('the disk is gone')) : write.call(storage, work)
  })
  const byName = { createIndexes: 'tokens', indexes: [{ key: { name: 1, _id: 1 }, name: 'name_1__id_1' }] }
  t.match(await client.send(byName), { ok: new Double(0) })
  failing.restore()
  t.equal(entriesOf(storage).length, 2000)
  t.match(await client.send({ listIndexes: 'tokens', cursor: {} }), { cursor: { firstBatch: [{ name: '_id_' }] } }, 'half an index is none')
  const find = async (): Promise<number> => (await client.send({ find: 'tokens', filter: { name: 'name 3' }, sort: { name: 1, _id: 1 }, batchSize: 100 })).cursor.firstBatch.length
  const found = await find()
  const change = (_id: number, name: string): Promise<Document> => client.send({ findAndModify: 'tokens', query: { _id }, update: { $set: { name } } })
  for (const _id of [10, 4000]) await change(_id, 'name 3')
  await change(4001, 'name 11')
  await client.send({ delete: 'tokens', deletes: [{ q: { _id: { $in: [20, 4020] } }, limit: 0 }] })
  await client.send({ insert: 'tokens', documents: [{ _id: -1, name: 'name 3' }, { _id: 9999, name: 'name 3' }] })
  const puts = t.capture(storage.entries, 'putSync', storage.entries.putSync)
  t.match(await client.send(byName), { numIndexesBefore: new Int32(1), numIndexesAfter: new Int32(2), ok })
  t.ok(puts().length < 3100, `${puts().length} entries were missing`)
  t.same(entriesOf(storage), documentsOf(storage))
  t.equal(await find(), found + 4)
})

t.test('an index of a collection that is dropped and made anew meanwhile is not taken to be built', async t => {
  const { client, socketPath } = await serverFor(t)
  const other = await WireClient.open(socketPath)
  const documents = Array.from({ length: 3000 }, (_, _id) => ({ _id, name: 'x' }))
  await client.send({ insert: 'tokens' }, { sequences: { documents } })
  const byName = { createIndexes: 'tokens', indexes: [{ key: { name: 1, _id: 1 }, name: 'name_1__id_1' }] }
  const first = client.send(byName)
  await other.send({ drop: 'tokens' })
  await other.send({ insert: 'tokens', documents: documents.slice(0, 5) })
  await first
  t.match(await other.send({ listIndexes: 'tokens', cursor: {} }), { cursor: { firstBatch: [{ name: '_id_' }] } })
  await other.send(byName)
  const { cursor } = await other.send({ find: 'tokens', sort: { name: 1, _id: 1 } })
  t.equal(cursor.firstBatch.length, 5)
  other.socket.destroy()
})

t.test('an index of a collection that is dropped meanwhile leaves nothing behind', async t => {
  const { client, server: { storage } } = await serverFor(t)
  await client.send({ insert: 'tokens' }, { sequences: { documents: Array.from({ length: 2000 }, (_, _id) => ({ _id, expires_at: at(0) })) } })
  await Promise.all([create(client, {}), client.send({ drop: 'tokens' })])
  const collection = new Collection(storage, 'college.tokens')
  await collection.write(() => collection.forget())
  t.same([entriesOf(storage), documentsOf(storage)], [[], []])
})

t.test('a sweep that fails is a warning, and the next one does it', async t => {
  const { client, server: { sweeper, storage } } = await serverFor(t, { expiry: { now: () => noon } })
  await create(client, {})
  await client.send({ insert: 'tokens', documents: [{ _id: 1, expires_at: at(0) }] })
  const warnings = t.capture(process, 'emitWarning')
  const broken = t.intercept(storage.entries, 'getRange', { value: () => { throw new MongoError('OutOfDiskSpace', 'no space') } })
  await sweeper.sweep()
  broken.restore()
  t.match(warnings(), [{ args: [/could not remove expired documents: MongoError: no space/] }])
  t.same(await ids(client), [1])
  await sweeper.sweep()
  t.same(await ids(client), [])
})

t.test('the sweeper works by itself, and ends with the server in the middle of its work', async t => {
  const directory = await directoryFor(t)
  const server = await serve({ directory, expiry: { intervalMs: 5, now: () => noon } })
  const client = new MongoClient(`mongodb://127.0.0.1:${server.port}`, { serverApi: { version: '1', strict: true, deprecationErrors: true } })
  const tokens = client.db('college').collection('tokens')
  t.equal(await tokens.createIndex({ expires_at: 1 }, { expireAfterSeconds: 0 }), 'expires_at_1')
  await tokens.insertMany(Array.from({ length: 2000 }, () => ({ expires_at: at(0) })))
  while (await tokens.estimatedDocumentCount() > 0) await new Promise(setImmediate)
  await tokens.insertMany(Array.from({ length: 2000 }, () => ({ expires_at: at(0) })))
  server.sweeper.sweep()
  await client.close()
  await server.close()
  const storage = await Storage.open(directory)
  t.same(entriesOf(storage), documentsOf(storage), 'after a restart')
  const sweeper = new Sweeper(storage, { now: () => noon })
  await sweeper.sweep()
  t.same([entriesOf(storage), documentsOf(storage)], [[], []])
  await sweeper.close()
  await storage.close()
})

t.test('a store of format 1 gets what it lacks', async t => {
  const directory = await directoryFor(t)
  const before = await Storage.open(directory)
  const one = Buffer.alloc(8)
  one.writeDoubleLE(1)
  before.root.transactionSync(() => {
    before.root.putSync(Buffer.from('format'), one)
    for (const key of ['college.a\0x', 'college.a\0y', 'college.ab\0x', 'school.a\0x']) before.documents.putSync(Buffer.from(key), Buffer.from('document'))
  })
  await before.close()
  const storage = await Storage.open(directory)
  t.same(namespaces(storage), ['college.a', 'college.ab', 'school.a'])
  t.same(namespaces(storage, 'college.'), ['college.a', 'college.ab'])
  t.equal(storage.root.get(Buffer.from('format'))?.readDoubleLE(), 4)
  await storage.close()
})

t.test('a range is walked forwards or backwards, from its start or from behind a key', async t => {
  const storage = await Storage.open(await directoryFor(t))
  const keys = ['a', 'b', 'c', 'd'].map(key => Buffer.from(key))
  await storage.write(() => keys.forEach(key => storage.documents.putSync(key, Buffer.alloc(10))))
  const [a = Buffer.of(), b, c, d = Buffer.of()] = keys
  const collection = new Collection(storage, 'college.tokens')
  const walked = (options: Partial<Walk>): string => {
    const walk = { range: { start: a, end: d }, reverse: false, behind: undefined, ...options }
    return [...collection.walk('documents', walk)].map(({ key }) => String(key)).join('')
  }
  t.same([walked({}), walked({ reverse: true })], ['abc', 'cba'])
  t.same([walked({ behind: b }), walked({ reverse: true, behind: b })], ['c', 'a'])
  t.same([walked({ behind: c }), walked({ reverse: true, behind: a })], ['', ''])
  await storage.close()
})
