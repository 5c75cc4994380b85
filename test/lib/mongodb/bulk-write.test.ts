import { MongoClient, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { bulkWrite, type Met } from '../../../lib/mongodb/bulk-write.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

const statements = [{ filter: { _id: 1 }, set: { a: 1 } }, { filter: { _id: 2 } }, { filter: { _id: 3 }, set: { a: 1 } }]

/** What becomes of three statements on a server that answers like this, and the commands that it got. */
async function against (t: Test, answer: (command: Document) => Document | undefined, url = '') {
  const commands: Document[] = []
  const server = await fakeMongodb(t, (command) => {
    if (!command.bulkWrite && !command.update && !command.delete) return hello
    commands.push(command)
    return answer(command)
  })
  const client = await MongoClient.connect(`mongodb://${server}/?directConnection=true&retryWrites=false${url}`)
  t.teardown(async () => client.close())
  const collection = client.db('college').collection('students')
  return { commands, collection, met: bulkWrite(collection, statements, new AbortController().signal) }
}

const counts = { nInserted: 0, nMatched: 1, nModified: 1, nUpserted: 0 }
const bulkReply = (firstBatch: Document[], more: Document = {}) => ({
  ok: 1, cursor: { id: 0n, ns: 'admin.$cmd.bulkWrite', firstBatch }, nErrors: 0, ...counts, nDeleted: 1, ...more
})

t.test('all statements go in one command, and each has what it met', async (t) => {
  const { commands, met } = await against(t, () => bulkReply([{ ok: 1, idx: 0, n: 1, nModified: 1 }, { ok: 1, idx: 1, n: 1 }, { ok: 1, idx: 2, n: 0, nModified: 0 }]))
  t.strictSame(await met, [1, 1, 0])
  t.match(commands, [{ bulkWrite: 1, ordered: false, errorsOnly: false, nsInfo: [{ ns: 'college.students' }], ops: [{ update: 0, updateMods: { $set: { a: 1 } } }, { delete: 0 }, { update: 0 }] }])
})

t.test('nothing is sent for no statements', async (t) => {
  const { commands, collection, met } = await against(t, () => bulkReply([]))
  await met
  t.strictSame(await bulkWrite(collection, [], new AbortController().signal), [])
  t.equal(commands.length, 1)
})

t.test('a statement that is refused has its own error', async (t) => {
  const { met } = await against(t, () => bulkReply([{ ok: 0, idx: 0, n: 0, code: 11000, errmsg: 'E11000' }, { ok: 1, idx: 1, n: 1 }, { ok: 1, idx: 2, n: 1, nModified: 1 }], { nErrors: 1 }))
  const [refused, ...others] = await met as Met[]
  t.match(refused, { code: 11000, message: 'E11000' })
  t.strictSame(others, [1, 1])
  const { met: all } = await against(t, () => bulkReply([0, 1, 2].map((idx) => ({ ok: 0, idx, n: 0, code: 121, errmsg: 'x' })), { nErrors: 3, nMatched: 0, nModified: 0, nDeleted: 0 }))
  t.match(await all, [{ code: 121 }, { code: 121 }, { code: 121 }])
})

t.test('what reaches the whole command reaches all, and so does a write concern that is not met', async (t) => {
  const { met: stopped } = await against(t, () => ({ ok: 0, code: 11600, errmsg: 'interrupted at shutdown' }))
  await t.rejects(stopped, { code: 11600 })
  const writeConcernError = { code: 64, errmsg: 'waiting for replication timed out' }
  const { met: unmet } = await against(t, () => bulkReply([{ ok: 1, idx: 0, n: 1, nModified: 1 }, { ok: 1, idx: 1, n: 1 }, { ok: 1, idx: 2, n: 0 }], { writeConcernError }))
  await t.rejects(unmet, { code: 64 })
})

t.test('an operation that is ended is an error of all', async (t) => {
  const { collection, met } = await against(t, () => bulkReply([{ ok: 1, idx: 0, n: 1, nModified: 1 }]))
  await met
  await t.rejects(bulkWrite(collection, statements, AbortSignal.abort(new Error('ended'))), { message: 'ended' })
})

t.test('a server may not know the command', async (t) => {
  const { commands, met } = await against(t, () => ({ ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: "no such command: 'bulkWrite'" }))
  t.equal(await met, undefined)
  t.equal(commands.length, 1)
})
