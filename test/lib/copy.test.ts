import { randomUUID } from 'node:crypto'
import { Writable } from 'node:stream'
import { Binary, Decimal128, Double, Int32, Long, MongoBulkWriteError, ObjectId, Timestamp, UUID, type Collection } from 'mongodb'
import t, { type Test } from 'tap'
import { copyCollection } from '../../lib/copy.js'
import { copyStore } from '../../lib/copy-store.js'
import { client } from '../store.js'

function databases (t: Test) {
  const [source, target] = [client.db(`test_${randomUUID()}`), client.db(`test_${randomUUID()}`)]
  t.teardown(() => Promise.all([source.dropDatabase(), target.dropDatabase()]))
  return { source, target }
}

const collections = (t: Test) => {
  const { source, target } = databases(t)
  return { source: source.collection<Strange>('things'), target: target.collection<Strange>('things') }
}

interface Strange {
  _id: string | number | Long | ObjectId | { a: number }
  [field: string]: unknown
}

const everything = {
  double: new Double(3),
  int: new Int32(3),
  long: new Long(7),
  decimal: new Decimal128('1.50'),
  date: new Date(0),
  nothing: null,
  bytes: new Binary(Buffer.from('x'), 5),
  uuid: new UUID(),
  id: new ObjectId(),
  regex: /x/i,
  time: new Timestamp({ t: 1, i: 2 }),
  list: [new Double(1), { a: new Double(2) }],
  text: 'é\u0000',
  'a.b': 1,
  $set: 1
}

t.test('every document arrives as it is, whatever its types and ids', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany([{ _id: 'text', ...everything }, { _id: new ObjectId() }, { _id: new Long(5) }, { _id: { a: 1 } }])
  let progress = 0
  const copied = await copyCollection(source as unknown as Collection, target as unknown as Collection, (count) => { progress += count })
  t.strictSame(copied, { documents: 4, copied: 4, isSame: true })
  t.equal(progress, 4)
  const raw = (collection: Collection<Strange>) => collection.find({}, { raw: true, sort: { _id: 1 } }).toArray()
  t.strictSame(await raw(target), await raw(source))
})

t.test('it can be run again, and a document that is there stays as it is', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany(Array.from({ length: 2_500 }, (_, _id) => ({ _id, value: 'old' })))
  const copy = () => copyCollection(source as unknown as Collection, target as unknown as Collection, () => {})
  await target.insertMany([{ _id: 7, value: 'old' }, { _id: 'another', value: 'new' }])
  t.strictSame(await copy(), { documents: 2_500, copied: 2_499, isSame: true }, 'others of the target do not count')
  t.strictSame(await copy(), { documents: 2_500, copied: 0, isSame: true })
  await target.findOneAndUpdate({ _id: 2_400 }, { $set: { value: 'newer' } })
  t.strictSame(await copy(), { documents: 2_500, copied: 0, isSame: false })
  t.match(await target.findOne({ _id: 2_400 }), { value: 'newer' })
  await target.deleteOne({ _id: 3 })
  t.match(await copy(), { copied: 1 })
})

t.test('what else goes wrong is an error', async (t) => {
  const { source } = collections(t)
  await source.insertOne({ _id: 1 })
  const refusing = (error: Error) => ({ insertMany: async () => { throw error } }) as unknown as Collection
  const bulkError = (code: number, errmsg: string) => Object.assign(Object.create(MongoBulkWriteError.prototype), {
    writeErrors: { code, err: { errmsg } }, result: { getWriteConcernError: () => undefined }
  })
  for (const error of [new Error('broken'), bulkError(121, 'index: _id_ '), bulkError(11000, 'E11000 index: email_1 dup key')]) {
    await t.rejects(copyCollection(source as unknown as Collection, refusing(error), () => {}), error)
  }
})

t.test('students and users are copied, and a difference is told', async (t) => {
  const { source, target } = databases(t)
  await source.collection<Strange>('students').insertOne({ _id: 'a', name: 'Jane' })
  await source.collection<Strange>('refresh_tokens').insertOne({ _id: 'a' })
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  t.equal(await copyStore(source, target, output),
    'students: 1 documents, 1 of them copied, 0 there already.\nusers: 0 documents, 0 of them copied, 0 there already.')
  t.strictSame(await target.collection('refresh_tokens').find({}).toArray(), [], 'logins stay behind')
  await source.collection<Strange>('students').findOneAndUpdate({ _id: 'a' }, { $set: { name: 'Joan' } })
  await t.rejects(copyStore(source, target, output), /1 there already\.\nSome students are not as they are here/)
})
