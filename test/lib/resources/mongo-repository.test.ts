import { setImmediate as turn } from 'node:timers/promises'
import { Long, ObjectId, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import type { MongoRepository } from '../../../lib/resources/mongo-repository.js'
import type { student } from '../../../schemas/student.js'
import { janeDoe } from '../../samples.js'
import { all, build, bulkReply, cursor, ids, idsOf, stored } from './held-students.js'

t.test('reads that come while two are under way are one find, with each id once', async (t) => {
  const { students, nth, held } = await build(t)
  const [a = '', b = '', c = '', d = '', e = ''] = ids
  const reads = [students.find(a)]
  t.strictSame(idsOf((await nth(0)).command), [a])
  reads.push(students.find(b))
  t.strictSame(idsOf((await nth(1)).command), [b])
  reads.push(...[c, d, c, d.toUpperCase(), e].map((id) => students.find(id)))
  await turn()
  t.equal(held.length, 2)

  held[1]?.answer(cursor(stored(b)))
  t.strictSame(idsOf((await nth(2)).command), [c, d, e])
  held[0]?.answer(cursor(stored(a)))
  held[2]?.answer(cursor(stored(d), stored(c), stored(e)))
  const found = await Promise.all(reads)
  t.strictSame(found.map((student) => student?.id), [a, b, c, d, c, d, e])
  t.equal(held.length, 3)

  students.find(a).catch(() => {})
  t.strictSame(idsOf((await nth(3)).command), [a], 'nothing is kept: the next read asks again')
})

t.test('what is there under no ObjectId is asked for once more, by the ids as text', async (t) => {
  const { students, nth, held } = await build(t)
  const [a = '', b = '', c = ''] = ids
  const reads = [a, b, c, c].map((id) => students.find(id))
  const first = await nth(0)
  t.ok(first.command.filter._id.$in.every((id: unknown) => id instanceof ObjectId))
  first.answer(cursor(stored(b)))
  const again = await nth(1)
  t.strictSame(again.command.filter, { _id: { $in: [a, c] } })
  again.answer(cursor({ _id: c, name: 'x' }))
  t.strictSame((await Promise.all(reads)).map((student) => student?.id), [undefined, b, c, c])
  t.equal(held.length, 2)
})

t.test('of a student only the fields of the schema are found, whatever else is stored', async (t) => {
  const { students, nth } = await build(t)
  const projection = { _id: 1, name: 1, email: 1, course: 1, gpa: 1 }
  const calls = [students.find(String(ids[0])), students.list(all)]
  const commands = await Promise.all([0, 1].map(async (n) => (await nth(n)).command))
  t.strictSame(commands.map((command) => command.projection), [projection, projection])
  for (const n of [0, 1]) (await nth(n)).answer(cursor(stored(ids[0])))
  await Promise.all(calls)
})

t.test('lists share a find only if it is sent after they came', async (t) => {
  const { students, nth, held } = await build(t)
  const first = students.list(all)
  await nth(0)
  const later = [students.list(all), students.list(all)]
  held[0]?.answer(cursor(stored(ids[0])))
  t.equal((await first).items.length, 1)
  const { answer, command } = await nth(1)
  t.match(command, { limit: 1_001, filter: {}, sort: { _id: 1 } })
  answer(cursor(stored(ids[0]), stored(ids[1])))
  const [second, third] = await Promise.all(later)
  t.equal(second?.items.length, 2)
  t.strictSame(third, second)
  t.not(third, second, 'but each has an object of its own')
  t.equal(held.length, 2)
})

t.test('what one reply does not hold is read on by a cursor', async (t) => {
  const { students, nth } = await build(t)
  const list = students.list(all)
  const first = await nth(0)
  t.notOk(first.command.readConcern)
  t.ok(first.command.batchSize > first.command.limit, 'else the server would leave the cursor open')
  first.answer({ ok: 1, cursor: { id: 5n, ns: 'x.students', firstBatch: [stored(ids[0])] } })
  const kill = await nth(1)
  t.match(kill.command, { killCursors: 'students' })
  t.strictSame(kill.command.cursors, [Long.fromNumber(5)])
  kill.answer({ ok: 1, cursorsKilled: [5n], cursorsNotFound: [], cursorsAlive: [], cursorsUnknown: [] })
  const again = await nth(2)
  t.match(again.command, { find: 'students', limit: 1_001 })
  again.answer(cursor(stored(ids[0]), stored(ids[1])))
  t.strictSame((await list).items.map(({ id }) => id), ids.slice(0, 2))
})

t.test('a read whose connection is lost is asked for once more', async (t) => {
  const { students, nth } = await build(t)
  const read = students.find(String(ids[0]))
  const first = await nth(0)
  first.drop()
  const again = await nth(1)
  t.strictSame(idsOf(again.command), [ids[0]])
  again.answer(cursor(stored(ids[0])))
  t.equal((await read)?.id, ids[0])
})

t.test('a read is asked for once where the URL wants that, or where asking again is no use', async (t) => {
  const once = await build(t, '&retryReads=false')
  const read = once.students.find(String(ids[0]))
  const { drop } = await once.nth(0)
  drop()
  await t.rejects<unknown>(read, { code: 'SCA_STORE_UNAVAILABLE' })
  t.equal(once.held.length, 1)

  const { students, nth, held } = await build(t)
  const refused = students.find(String(ids[0]))
  const { answer } = await nth(0)
  answer({ ok: 0, code: 2, codeName: 'BadValue', errmsg: 'not so' })
  await t.rejects<unknown>(refused, { code: 2 })
  t.equal(held.length, 1)
})

t.test('a read is asked for once more where the primary has stepped down', async (t) => {
  const { students, nth } = await build(t)
  const read = students.find(String(ids[0]))
  const first = await nth(0)
  first.answer({ ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary' })
  const again = await nth(1)
  again.answer(cursor(stored(ids[0])))
  t.equal((await read)?.id, ids[0])
})

t.test('reads have the read concern and the read preference of the URL', async (t) => {
  const mongos = { msg: 'isdbgrid' } // which is told the read preference
  const { students, nth } = await build(t, '&readConcernLevel=majority&readPreference=secondaryPreferred', mongos)
  const read = students.find(String(ids[0]))
  const { command, answer } = await nth(0)
  t.match(command, { readConcern: { level: 'majority' }, $readPreference: { mode: 'secondaryPreferred' } })
  answer(cursor(stored(ids[0])))
  t.equal((await read)?.id, ids[0])
})

/** Four creates, of which all but the first are one insert, and that insert. */
async function createMany (t: Test) {
  const { students, nth, held } = await build(t)
  const create = (name: string) => students.create({ ...janeDoe, name }).then(({ name }) => name, (error) => error)
  const names = ['a', 'b', 'c', 'd']
  const creates = [create('a')]
  const { answer, command } = await nth(0)
  t.match(command, { documents: [{ name: 'a' }] })
  creates.push(...names.slice(1).map(create))
  const batch = await nth(1)
  t.match(batch.command, { ordered: false, documents: names.slice(1).map((name) => ({ name })) })
  answer({ ok: 1, n: 1 })
  return { creates, batch, nth, held }
}

t.test('of creates in one insert each has its own error, and one that an index refused is asked for alone', async (t) => {
  const { creates, batch, nth } = await createMany(t)
  const duplicate = { code: 11000, errmsg: 'E11000 duplicate key error', keyPattern: { email: 1 } }
  batch.answer({ ok: 1, n: 1, writeErrors: [{ index: 0, ...duplicate }, { index: 2, code: 121, errmsg: 'Document failed validation' }] })
  const alone = await nth(2)
  t.strictSame(alone.command.documents.map(({ name }: Document) => name), ['b'])
  alone.answer({ ok: 1, n: 0, writeErrors: [{ index: 0, ...duplicate }] })
  const [a, b, c, d] = await Promise.all(creates)
  t.strictSame([a, c], ['a', 'c'])
  t.match(b, { code: 'SCA_DUPLICATE_KEY', message: 'A record with this email already exists.' })
  t.match(d, { code: 'SCA_DOCUMENT_REFUSED' })
})

t.test('a write that is not acknowledged as the URL asks is an error of the whole insert', async (t) => {
  const { creates, batch } = await createMany(t)
  const validation = { index: 1, code: 121, errmsg: 'Document failed validation' }
  batch.answer({ ok: 1, n: 2, writeErrors: [validation], writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } })
  const [a, b, c, d] = await Promise.all(creates)
  t.equal(a, 'a')
  for (const error of [b, d]) t.match(error, { code: 'SCA_STORE_UNAVAILABLE', message: /The change may have been applied/ })
  t.match(c, { code: 'SCA_DOCUMENT_REFUSED' })
})

t.test('an error of the whole command reaches all of it', async (t) => {
  const { creates, batch } = await createMany(t)
  batch.answer({ ok: 0, code: 14031, codeName: 'OutOfDiskSpace', errmsg: 'no space left' })
  const [a, ...errors] = await Promise.all(creates)
  t.equal(a, 'a')
  for (const error of errors) t.match(error, { code: 'SCA_STORE_FULL' })
})

t.test('a lost connection reaches all of its insert, which is not sent again', async (t) => {
  const { creates, batch, held } = await createMany(t)
  batch.drop()
  const [a, ...errors] = await Promise.all(creates)
  t.equal(a, 'a')
  t.equal(errors.length, 3)
  for (const error of errors) t.match(error, { code: 'SCA_STORE_UNAVAILABLE', message: /The change may have been applied/ })
  t.equal(held.length, 2)
})

t.test('a change under a condition that another client comes before is asked again', async (t) => {
  const { students, nth } = await build(t)
  const [id = ''] = ids
  const asked: (string | undefined)[] = []
  const condition = ({ name }: { name?: string }) => asked.push(name) < 3
  const deleted = students.delete(id, condition)
  ;(await nth(0)).answer(cursor(stored(id, 'one')))
  const first = await nth(1)
  t.match(first.command.deletes[0].q, { name: { $eq: 'one' }, email: { $exists: false } })
  first.answer({ ok: 1, n: 0 })
  ;(await nth(2)).answer(cursor(stored(id, 'two')))
  ;(await nth(3)).answer({ ok: 1, n: 0 })
  ;(await nth(4)).answer(cursor(stored(id, 'three')))
  t.match(await deleted, { current: { name: 'three' } })
  t.strictSame(asked, ['one', 'two', 'three'])
  const missing = students.delete(id, condition)
  for (const n of [5, 6]) (await nth(n)).answer(cursor())
  t.equal(await missing, false)
})

t.test('a list that takes too long says which index would help, and a count that does is left out', async (t) => {
  const { students } = await build(t, '', {}, 50)
  const late = async (query: object) => students.list({ ...all, ...query }).then(() => '', ({ message }) => message)
  t.match(await late({ sort: [{ field: 'gpa', isDescending: true }] }), /The index \{ gpa: 1, _id: 1 \} would help/)
  t.match(await late({ conditions: [{ field: 'name', kind: 'text', operator: 'eq', value: 'x' }] }), /The index \{ name: 1, _id: 1 \} would help/)
  const [name, gpa, id, created] = [['name', 'text'], ['gpa', 'number'], ['id', 'id'], ['created', 'date-time']]
    .map(([field, kind]) => ({ field, kind, operator: 'gte', value: kind === 'date-time' ? new Date(0) : kind === 'id' ? '0'.repeat(24) : 'x' }))
  t.match(await late({ anyOf: [[created, name], [gpa], [name]] }), /The indexes \{ name: 1, _id: 1 \}, \{ gpa: 1, _id: 1 \} would help/)
  t.match(await late({ anyOf: [[id], [gpa]] }), /The index \{ gpa: 1, _id: 1 \} would help/)
  t.match(await late({ anyOf: [[name], [gpa]], sort: [{ field: 'course', isDescending: false }] }), /The index \{ course: 1, _id: 1 \} would help/)
  t.equal(await late({ conditions: [created] }), 'The database is out of reach. Try again later.')
  t.equal(await late({ sort: [{ field: 'id', isDescending: true }] }), 'The database is out of reach. Try again later.')
  t.equal(await late({}), 'The database is out of reach. Try again later.')
})

t.test('a page stands without its total where that can not be had, but an error of the count is one', async (t) => {
  const { students, nth } = await build(t, '', {}, 200)
  const page = students.list({ ...all, count: 'bounded' })
  for (const n of [0, 1]) {
    const { command, answer } = await nth(n)
    if (command.find) answer(cursor(stored(ids[0])))
  }
  t.strictSame(Object.keys(await page), ['items', 'last'])
  const many = students.list({ ...all, count: 'bounded' })
  for (const n of [2, 3]) {
    const { command, answer } = await nth(n)
    answer(cursor(command.find ? stored(ids[0]) : { value: 10_000 }))
  }
  t.strictSame((await many).total, { value: 10_000, relation: 'gte' })
  const failed = t.rejects(students.list({ ...all, count: 'exact' }), { code: 2 })
  for (const n of [4, 5]) {
    const { command, answer } = await nth(n)
    answer(command.find ? cursor() : { ok: 0, code: 2, errmsg: 'no' })
  }
  await failed
})

t.test('when the connection closes nobody is left hanging', async (t) => {
  const { client, students, nth } = await build(t)
  const call = (n: number) => [students.find(String(ids[n])), students.create({ ...janeDoe, name: String(n) }), students.list(all)]
    .map((operation) => t.rejects<unknown>(operation, { code: 'SCA_STORE_UNAVAILABLE' }))
  const calls = call(1)
  await nth(2)
  calls.push(...call(2), ...call(3))
  await nth(4)
  await client.close()
  await Promise.all([...calls, ...call(4), ...call(5)])
})

/** How many documents or ids the commands hold that follow two that hang, of all those that come meanwhile. */
async function batchSizes (t: Test, count: number, call: (students: MongoRepository<typeof student.fields>) => Promise<unknown>) {
  const { students, nth, held } = await build(t)
  const calls: Promise<unknown>[] = []
  for (const n of [0, 1]) {
    calls.push(call(students))
    await nth(n)
  }
  calls.push(...Array.from({ length: count }, () => call(students)))
  await turn()
  t.equal(held.length, 2, 'no more than two of a kind are under way')
  const sizes: number[] = []
  for (let n = 0, seen = -2; seen < count; n++) {
    const { command, answer } = await nth(n)
    const given = command.documents ?? command.filter._id.$in ?? [command.filter._id]
    if (n > 1) sizes.push(given.length)
    seen += given.length
    answer(command.find ? cursor(...given.map((_id: unknown) => ({ _id }))) : { ok: 1, n: given.length })
  }
  await Promise.all(calls)
  return sizes
}

t.test('an insert holds at most 256 students, and a read at most 256 ids', async (t) => {
  t.strictSame(await batchSizes(t, 300, (students) => students.create(janeDoe)), [256, 44])
  t.strictSame(await batchSizes(t, 300, (students) => students.find(new ObjectId().toHexString())), [256, 44])
})

t.test('an insert holds at most a megabyte of students, as UTF-8 may need it', async (t) => {
  const course = 'x'.repeat(150_000)
  t.strictSame(await batchSizes(t, 5, (students) => students.create({ ...janeDoe, course })), [2, 2, 1])
})

const own = { code: 11000, errmsg: 'E11000 duplicate key error collection: x.students index: _id_ dup key', keyPattern: { _id: 1 } }

t.test('a create that meets its own write, after its first answer was lost, is a success', async (t) => {
  const { students, nth } = await build(t)
  const create = students.create(janeDoe)
  const { answer, command } = await nth(0)
  answer({ ok: 1, n: 0, writeErrors: [{ index: 0, ...own }] })
  t.strictSame(await create, { id: String(command.documents[0]._id), ...janeDoe })
})

t.test('of creates in one insert, too, those that meet their own write are a success', async (t) => {
  const { creates, batch, nth } = await createMany(t)
  batch.answer({ ok: 1, n: 0, writeErrors: [0, 1, 2].map((index) => ({ index, ...own })) })
  for (const n of [2, 3, 4]) (await nth(n)).answer({ ok: 1, n: 0, writeErrors: [{ index: 0, ...own }] })
  t.strictSame(await Promise.all(creates), ['a', 'b', 'c', 'd'])
})

t.test('a write concern that can not be met is told as a change that may have been applied, by each write', async (t) => {
  const { students, nth } = await build(t, '&w=5')
  const [a = '', b = ''] = ids
  const writeConcernError = { code: 100, codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes' }
  const calls: (() => Promise<unknown>[])[] = [
    () => [students.create(janeDoe)],
    () => [students.update(a, { name: 'x' })],
    () => [students.delete(b)],
    () => [students.update(a, { name: 'x' }), students.delete(b)]
  ]
  for (const [n, call] of calls.entries()) {
    const writes = call().map((write) => t.rejects<unknown>(write, { code: 'SCA_STORE_UNAVAILABLE', message: /The change may have been applied/ }))
    const { answer, command } = await nth(n)
    t.strictSame(command.writeConcern, { w: 5 })
    answer({ ...command.bulkWrite ? bulkReply(2) : { ok: 1, n: 1 }, ...command.findAndModify && { value: stored(a) }, writeConcernError })
    await Promise.all(writes)
  }
})

t.test('what the collection\'s validator refuses is 422 for an update, too', async (t) => {
  const { students, nth } = await build(t)
  const update = t.rejects<unknown>(students.update(String(ids[0]), { name: 'x' }), { code: 'SCA_DOCUMENT_REFUSED', statusCode: 422 })
  ;(await nth(0)).answer({ ok: 0, code: 121, codeName: 'DocumentValidationFailure', errmsg: 'Document failed validation', errInfo: {} })
  await update
})

t.test('commands carry nothing of what tells whether they were sent', async (t) => {
  const { students, nth } = await build(t)
  const calls = [students.create(janeDoe), students.update(String(ids[0]), { name: 'x' }), students.delete(String(ids[0])), students.find(String(ids[0]))]
  for (const n of [0, 1, 2, 3]) {
    const { command, answer } = await nth(n)
    t.notOk('comment' in command, `${Object.keys(command)[0]}`)
    answer(command.find ? cursor(stored(ids[0])) : { ok: 1, n: 1, value: stored(ids[0]) })
  }
  await Promise.all(calls)
})

for (const [code, title] of [[6, 'HostUnreachable'], [7, 'HostNotFound'], [89, 'NetworkTimeout'], [134, 'ReadConcernMajorityNotAvailableYet'], [262, 'ExceededTimeLimit'], [9001, 'SocketException']] as const) {
  t.test(`a read that is answered with ${title} is asked for once more, and is 503 where that is no help`, async (t) => {
    const { students, nth } = await build(t)
    const error = { ok: 0, code, errmsg: 'x' }
    const read = students.find(String(ids[0]))
    ;(await nth(0)).answer(error)
    ;(await nth(1)).answer(cursor(stored(ids[0])))
    t.equal((await read)?.id, ids[0])
    const lost = t.rejects<unknown>(students.find(String(ids[0])), { code: 'SCA_STORE_UNAVAILABLE' })
    for (const n of [2, 3, 4]) (await nth(n)).answer(error)
    await lost
  })
}
