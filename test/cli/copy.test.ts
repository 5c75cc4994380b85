import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Writable } from 'node:stream'
import { Binary, Decimal128, Double, Int32, Long, MongoBulkWriteError, ObjectId, Timestamp, UUID, type Collection } from 'mongodb'
import t, { type Test } from 'tap'
import { copyCollection } from '../../cli/copy.js'
import { copyStore } from '../../cli/copy-store.js'
import { client } from '../store.js'
import { run } from './run.js'

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

const none = { count: 0, first: [] }
const same = { differing: none, missing: none, surplus: none, replaced: 0, deleted: 0 }

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
  t.strictSame(copied, { documents: 4, copied: 4, ...same })
  t.equal(progress, 4)
  const raw = (collection: Collection<Strange>) => collection.find({}, { raw: true, sort: { _id: 1 } }).toArray()
  t.strictSame(await raw(target), await raw(source))
})

t.test('it can be run again, and tells what is otherwise on the other side and which documents', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany(Array.from({ length: 2_500 }, (_, _id) => ({ _id, value: 'old' })))
  const copy = () => copyCollection(source as unknown as Collection, target as unknown as Collection, () => {})
  await target.insertOne({ _id: 7, value: 'old' })
  t.strictSame(await copy(), { documents: 2_500, copied: 2_499, ...same })
  t.strictSame(await copy(), { documents: 2_500, copied: 0, ...same })
  await target.findOneAndUpdate({ _id: 2_400 }, { $set: { value: 'newer' } })
  await target.insertMany([{ _id: 'another' }, { _id: 3_000 }, { _id: new ObjectId('5'.repeat(24)) }, { _id: 3_001 }])
  t.strictSame(await copy(), {
    documents: 2_500, copied: 0, replaced: 0, deleted: 0, missing: none, differing: { count: 1, first: ['2400'] }, surplus: { count: 4, first: ['3000', '3001', 'another', '5'.repeat(24)] }
  })
  t.match(await target.findOne({ _id: 2_400 }), { value: 'newer' })
  await target.deleteOne({ _id: 3 })
  t.match(await copy(), { copied: 1, missing: none })
})

t.test('with --replace the other side gets what this one has, and loses what it lacks', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany(Array.from({ length: 2_500 }, (_, _id) => ({ _id, value: 'old', ...everything })))
  const copy = (isReplacing: boolean) => copyCollection(source as unknown as Collection, target as unknown as Collection, () => {}, isReplacing)
  await copy(false)
  await target.findOneAndUpdate({ _id: 7 }, { $set: { value: 'newer' } })
  await target.findOneAndUpdate({ _id: 2_400 }, { $set: { value: 'newer' } })
  await target.deleteOne({ _id: 8 })
  await target.insertMany([{ _id: 'another' }, { _id: 3_000 }])
  t.strictSame(await copy(true), { documents: 2_500, copied: 3, ...same, replaced: 2, deleted: 2 })
  t.match(await target.findOne({ _id: 7 }), { value: 'old' })
  t.equal(await target.countDocuments(), 2_500)
  t.strictSame(await copy(true), { documents: 2_500, copied: 0, ...same })
})

t.test('what comes while it copies is told, and taken by the next run', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany([{ _id: 1 }, { _id: 2 }])
  const copied = await copyCollection(source as unknown as Collection, afterFirst(target, () => source.insertOne({ _id: new ObjectId('5'.repeat(24)) })), () => {})
  t.strictSame(copied, { documents: 3, copied: 2, replaced: 0, deleted: 0, differing: none, surplus: none, missing: { count: 1, first: ['5'.repeat(24)] } })
  t.match(await copyCollection(source as unknown as Collection, target as unknown as Collection, () => {}), { copied: 1, ...same })
})

/** The collection, but after its first insert something happens. */
function afterFirst (collection: Collection<Strange>, what: () => Promise<unknown>): Collection {
  return new Proxy(collection, {
    get: (_target, name) => name !== 'insertMany'
      ? collection[name as 'find'].bind(collection)
      : async (...args: Parameters<typeof collection.insertMany>) => {
        const result = await collection.insertMany(...args)
        await what()
        return result
      }
  }) as unknown as Collection
}

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

t.test('students and users are copied, and a difference of one keeps back nothing of the other', async (t) => {
  const { source, target } = databases(t)
  const students = source.collection<Strange>('students')
  await students.insertMany([{ _id: 'a', name: 'Jane' }, { _id: 'b', name: 'Joe' }])
  await source.collection<Strange>('refresh_tokens').insertOne({ _id: 'a' })
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  t.equal(await copyStore(source, target, output), 'students: 2 here, 2 there, 2 of them copied now.\nusers: 0 here, 0 there, 0 of them copied now.')
  t.strictSame(await target.collection('refresh_tokens').find({}).toArray(), [], 'logins stay behind')
  await students.findOneAndUpdate({ _id: 'a' }, { $set: { name: 'Joan' } })
  await students.deleteOne({ _id: 'b' })
  await source.collection<Strange>('users').insertOne({ _id: 'root' })
  await t.rejects(copyStore(source, target, output), {
    message: `students: 1 here, 2 there, 0 of them copied now. Different: 1 (a). Only there: 1 (b).
users: 1 here, 1 there, 1 of them copied now.
The two databases are not the same. Start the server of this store with READ_ONLY=on, so that nothing changes any more. Then run copy again, with --replace, which \
replaces there what is different and deletes what is only there. Or name an empty database by MONGODB_DATABASE.`
  })
})

/** What a command prints beside its result. */
function printed () {
  const lines: string[] = []
  return { lines, output: new Writable({ write: (chunk, _encoding, done) => { lines.push(String(chunk)); done() } }) }
}

t.test('with --replace two databases come to be the same, and what is lost there is told before', async (t) => {
  const { source, target } = databases(t)
  await source.collection<Strange>('students').insertMany([{ _id: 'a', name: 'Jane' }, { _id: 'b', name: 'Joe' }])
  await target.collection<Strange>('students').insertMany([{ _id: 'a', name: 'Joan' }, { _id: 'c', name: 'Jack' }])
  await target.collection<Strange>('users').insertOne({ _id: 'root' })
  await target.collection<Strange>('others').insertOne({ _id: 'x' })
  const { lines, output } = printed()
  t.equal(await copyStore(source, target, output, true), `students: 2 here, 2 there, 2 of them copied now, 1 in place of others, 1 deleted there.
users: 0 here, 0 there, 0 of them copied now, 0 in place of others, 1 deleted there.`)
  t.equal(lines[0], 'students: 1 there will be replaced, 1 there will be deleted.\nusers: 0 there will be replaced, 1 there will be deleted.\n')
  t.equal(await target.collection('others').countDocuments(), 1, 'other collections are left alone')
})

t.test('a document that leaves the source while it is replaced makes no negative number', async (t) => {
  const { source, target } = collections(t)
  await source.insertMany([{ _id: 1, a: 1 }, { _id: 2 }])
  await target.insertMany([{ _id: 1, a: 2 }])
  const leaving = new Proxy(target, {
    get: (_target, name) => name !== 'deleteMany'
      ? target[name as 'find'].bind(target)
      : async (filter: object) => {
        await source.deleteOne({ _id: 1 })
        return target.deleteMany(filter)
      }
  })
  const copied = await copyCollection(source as unknown as Collection, leaving as unknown as Collection, () => {}, true)
  t.strictSame(copied, { documents: 1, copied: 1, ...same, replaced: 1 })
})

t.test('--replace with a store that has no records deletes nothing: it is most likely the wrong one', async (t) => {
  const { source, target } = databases(t)
  await target.collection<Strange>('users').insertOne({ _id: 'root' })
  const { lines, output } = printed()
  await t.rejects(copyStore(source, target, output, true), { message: 'The store has neither students nor users, and the other database has some: nothing was deleted. Is DATA_DIR right?' })
  t.strictSame(lines, [])
  t.equal(await target.collection('users').countDocuments(), 1)
  await target.dropDatabase()
  t.match(await copyStore(source, target, output, true), 'students: 0 here, 0 there', 'two that are empty are the same')
})

t.test('a folder without a store is not made one to copy it', async (t) => {
  const DATA_DIR = `${t.testdir()}/none`
  const { code, output, errors } = await run({ DATA_DIR }, ['copy', '--to', 'mongodb://127.0.0.1:1', '--replace'])
  t.strictSame([code, output, errors], [1, '', `There is no store in ${DATA_DIR}: set DATA_DIR to the folder of the server that is to be copied.\n`])
  t.equal(existsSync(DATA_DIR), false)
})

t.test('of many documents some are named; where they only came late, another run will do', async (t) => {
  const { source, target } = databases(t)
  const ids = Array.from({ length: 12 }, (_, index) => `student-${index + 10}`)
  await target.collection<Strange>('students').insertMany(ids.map((_id) => ({ _id })))
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  await t.rejects(copyStore(source, target, output), /students: 0 here, 12 there, 0 of them copied now\. Only there: 12 \(student-10, (student-\d\d, ){8}student-19, …\)\.\n/)
  await target.dropDatabase()
  await source.collection<Strange>('students').insertOne({ _id: 'a' })
  const late = new Proxy(target, {
    get: (_target, name) => name === 'collection'
      ? (of: string) => of === 'users' ? target.collection(of) : afterFirst(target.collection<Strange>(of), () => source.collection<Strange>(of).insertOne({ _id: 'late' }))
      : undefined
  })
  await t.rejects(copyStore(source, late, output), /Not copied yet: 1 \(late\)\.\n[^]*Start the server of this store with READ_ONLY=on, so that nothing changes any more\. Then run copy again\.$/)
})
