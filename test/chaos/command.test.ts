import { ObjectId, serialize } from 'bson'
import t from 'tap'
import { commandIn } from './command.js'

const [a, b] = [new ObjectId(), new ObjectId()]
const idsOf = (...documents: object[]) => [...commandIn(Buffer.concat(documents.map((document) => serialize(document)))).deleted]

t.test('a delete names what it deletes, by an ObjectId or its text', async (t) => {
  t.strictSame(idsOf({ delete: 'students', ordered: true }, { q: { _id: a }, limit: 1 }), [String(a)])
  t.strictSame(idsOf({ delete: 'students', ordered: true }, { q: { _id: String(a) }, limit: 1 }), [String(a)])
})

t.test('an update or a read deletes nothing', async (t) => {
  t.strictSame(idsOf({ findAndModify: 'students', query: { _id: a }, update: { $set: { name: 'c1 s1 v1' } } }), [])
  t.strictSame(idsOf({ find: 'students', filter: { _id: { $in: [a, b] } } }), [])
})

t.test('of the statements of a bulkWrite the deletes delete, whatever stands beside them', async (t) => {
  const update = (_id: ObjectId | string) => ({ update: 0, multi: false, filter: { _id }, updateMods: { $set: { name: 'c1 s1 v1' } } })
  const remove = (_id: ObjectId | string) => ({ delete: 0, multi: false, filter: { _id } })
  const command = { bulkWrite: 1, errorsOnly: false, ordered: false }
  const ns = { ns: 'college.students' }
  t.strictSame(idsOf(command, update(a), remove(b), ns), [String(b)])
  t.strictSame(idsOf(command, remove(String(a)), update(b), remove(b), ns), [String(a), String(b)])
  t.strictSame(idsOf(command, update(a), update(b), ns), [])
  t.strictSame([...commandIn(serialize(update(a)) as Buffer).texts], ['c1 s1 v1'])
})
