import { MongoClient, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { IdempotencyKeys, type KeyDocument } from '../../../lib/idempotency/keys.js'
import { OF_PRIMARY } from '../../../lib/mongodb/driver-options.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

/** Keys in a database that answers like this. */
async function keysIn (t: Test, answer: (command: Document) => Document) {
  const server = await fakeMongodb(t, (command) => command.createIndexes || command.insert || command.find || command.findAndModify || command.delete || command.bulkWrite || command.update ? answer(command) : hello)
  const client = await MongoClient.connect(`mongodb://${server}/?directConnection=true&retryWrites=false`)
  const guard = new StoreGuard(client, 1_000)
  const keys = new IdempotencyKeys(client.db('college').collection<KeyDocument>('idempotency_keys', OF_PRIMARY), guard, { ttlMs: 60_000, leaseMs: 1_000 })
  t.teardown(async () => {
    await keys.close()
    guard.close()
    await client.close()
  })
  return keys
}

const inserted = { ok: 1, n: 1 }
const duplicate = { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'E11000', keyPattern: { _id: 1 } }] }

t.test('where expired keys could not be seen to, the next request tries that again', async (t) => {
  const answers: Document[] = [{ ok: 0, code: 11600, errmsg: 'interrupted at shutdown' }, { ok: 1 }]
  const keys = await keysIn(t, ({ createIndexes }) => createIndexes ? answers.shift() as Document : inserted)
  await t.rejects(keys.reserve('a', 'x'), { code: 'SCA_STORE_UNAVAILABLE' })
  t.match(await keys.reserve('a', 'x'), { held: { isTakenOver: false } })
})

t.test('a reservation that meets its own document, after its first answer was lost, is held', async (t) => {
  let document: Document = {}
  const keys = await keysIn(t, ({ insert, find, documents }) => {
    if (insert) document = documents[0]
    return insert ? duplicate : find ? { ok: 1, cursor: { id: 0n, ns: 'x', firstBatch: [document] } } : { ok: 1 }
  })
  t.match(await keys.reserve('a', 'x'), { held: { isTakenOver: false } })
})

t.test('a key that is gone when it is looked at is reserved anew', async (t) => {
  const inserts = [duplicate, duplicate, inserted]
  const keys = await keysIn(t, ({ insert, find }) => {
    if (insert) return inserts.shift() as Document
    return find ? { ok: 1, cursor: { id: 0n, ns: 'x', firstBatch: [] } } : { ok: 1 }
  })
  t.match(await keys.reserve('a', 'x'), { held: { isTakenOver: false } })
  t.equal(inserts.length, 0)
})

t.test('a database without TTL indexes has its expired keys removed from here', async (t) => {
  const deleted: Document[] = []
  const keys = await keysIn(t, (command) => {
    if (command.createIndexes) return { ok: 0, code: 238, errmsg: 'not implemented' }
    if (command.delete) deleted.push(...command.deletes)
    return inserted
  })
  t.match(await keys.reserve('a', 'x'), { held: {} })
  while (deleted.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  t.match(deleted, [{ q: { expires_at: { $lte: Date } } }])
})

t.test('an error of the database is no key that is there', async (t) => {
  const keys = await keysIn(t, ({ insert }) => insert ? { ok: 0, code: 11600, errmsg: 'interrupted at shutdown' } : { ok: 1 })
  await t.rejects(keys.reserve('a', 'x'), { code: 'SCA_STORE_UNAVAILABLE' })
})

t.test('whoever lost a key to another one learns that when it notes how far it has come', async (t) => {
  const values = [{}, null]
  const keys = await keysIn(t, ({ findAndModify }) => findAndModify ? { ok: 1, value: values.shift() } : inserted)
  const reservation = await keys.reserve('a', 'x')
  if (!('held' in reservation)) return t.fail('it is held')
  await reservation.held.save({ rows: 1 })
  await t.rejects(reservation.held.save({ rows: 2 }), { code: 'SCA_KEY_IN_USE' })
})

t.test('where the server does not take many changes in one command, keys are done all the same', async (t) => {
  const updates: Document[] = []
  const keys = await keysIn(t, (command) => {
    if (command.bulkWrite) return { ok: 0, code: 59, errmsg: "no such command: 'bulkWrite'" }
    if (command.update) updates.push(...command.updates)
    return inserted
  })
  const answer = { status: 201, body: {} }
  const reservation = await keys.reserve('a', 'x', () => answer)
  t.ok('held' in reservation && await reservation.held.finish(answer).then(() => true))
  t.match(updates, [{ q: { _id: { $in: ['a'] } }, u: { $set: { is_done: true } }, multi: true }])
})
