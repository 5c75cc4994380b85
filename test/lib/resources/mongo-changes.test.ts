import { MongoClient, ObjectId, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { BSON_OPTIONS } from '../../../lib/mongodb/driver-options.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import type { StoredDocument } from '../../../lib/resources/mongo-records.js'
import { MongoRepository } from '../../../lib/resources/mongo-repository.js'
import { student } from '../../../schemas/student.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'
import { janeDoe } from '../../samples.js'

const ids = ['66b3f0a1c2d4e5f601234561', '66b3f0a1c2d4e5f601234562', '66b3f0a1c2d4e5f601234563']
const [id = ''] = ids

/** Students in a database that answers like this. */
async function studentsIn (t: Test, answer: (command: Document) => Document) {
  const isOurs = ({ bulkWrite, insert, find, findAndModify, delete: deletes }: Document) => [bulkWrite, insert, find, findAndModify, deletes].some(Boolean)
  const server = await fakeMongodb(t, (command) => isOurs(command) ? answer(command) : hello)
  const client = await MongoClient.connect(`mongodb://${server}/?directConnection=true&retryWrites=false&w=1`)
  const guard = new StoreGuard(client, 1_000)
  t.teardown(async () => {
    guard.close()
    await client.close()
  })
  return new MongoRepository(client.db('college').collection<StoredDocument>('students', BSON_OPTIONS), guard, student)
}

const results = (firstBatch: Document[]) => ({
  ok: 1,
  cursor: { id: 0n, ns: 'admin.$cmd.bulkWrite', firstBatch },
  nErrors: firstBatch.filter(({ ok }) => ok === 0).length,
  nInserted: 0,
  nMatched: 0,
  nModified: 0,
  nUpserted: 0,
  nDeleted: 0
})
const stored = (of: string) => ({ ok: 1, cursor: { id: 0n, ns: 'college.students', firstBatch: [{ _id: new ObjectId(of), ...janeDoe }] } })
const none = { ok: 1, cursor: { id: 0n, ns: 'college.students', firstBatch: [] } }
const duplicate = { code: 11000, errmsg: 'E11000 duplicate key error', keyPattern: { email: 1 } }

t.test('of many creates each has its own error', async (t) => {
  const students = await studentsIn(t, ({ documents }) => documents.length > 1
    ? { ok: 1, n: 1, writeErrors: [{ index: 1, ...duplicate }, { index: 2, code: 121, errmsg: 'Document failed validation' }] }
    : { ok: 1, n: 0, writeErrors: [{ index: 0, ...duplicate }] })
  const errors = await students.createMany(ids.map((id) => ({ id, fields: janeDoe })))
  t.equal(errors[0], undefined)
  t.match(errors.slice(1), [{ code: 'SCA_DUPLICATE_KEY', message: 'A record with this email already exists.' }, { code: 'SCA_DOCUMENT_REFUSED' }])
})

t.test('a change that an index refused is asked for alone, which tells the fields; what a validator refuses is not', async (t) => {
  const students = await studentsIn(t, ({ bulkWrite, findAndModify }) => {
    if (bulkWrite) return results([{ ok: 0, idx: 0, n: 0, ...duplicate }, { ok: 0, idx: 1, n: 0, code: 121, errmsg: 'Document failed validation' }])
    return findAndModify ? { ok: 0, ...duplicate } : none
  })
  t.match(await students.changeMany(ids.slice(0, 2).map((id) => ({ id, changes: { email: 'a@b.cd' } }))), [
    { message: 'A record with this email already exists.' }, { code: 'SCA_DOCUMENT_REFUSED' }
  ])
})

t.test('a conditional change that another client came before is made alone, or finds nothing any more', async (t) => {
  const finds = [stored(id), none, none, none, none]
  const students = await studentsIn(t, ({ bulkWrite }) => bulkWrite ? results([{ ok: 1, idx: 0, n: 0 }]) : finds.shift() as Document)
  t.strictSame(await students.changeMany([{ id, condition: () => true }]), [false])
  const others = [stored(id), none, none, none, none]
  const again = await studentsIn(t, ({ bulkWrite }) => bulkWrite ? results([{ ok: 1, idx: 0, n: 0, nModified: 0 }]) : others.shift() as Document)
  t.strictSame(await again.changeMany([{ id, changes: { gpa: 1 }, condition: () => true }]), [false])
})

t.test('a record that is gone once it was changed was changed', async (t) => {
  const students = await studentsIn(t, ({ bulkWrite }) => bulkWrite ? results([{ ok: 1, idx: 0, n: 1, nModified: 1 }]) : none)
  t.strictSame(await students.changeMany([{ id, changes: { gpa: 1 } }]), [true])
})
