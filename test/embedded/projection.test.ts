import { Double, Int32, Long, serialize, type Document } from 'bson'
import t from 'tap'
import { parseProjection } from '../../embedded/projection.js'
import { serverFor } from './support.js'

/** What is left of a document, as its bytes. */
function project (document: Document, projection: Document): Buffer {
  const bytes = Buffer.from(serialize(document))
  return parseProjection(Buffer.from(serialize(projection)))?.(bytes) ?? bytes
}

t.test('a document keeps the fields that are asked for and its _id, in its own order and with their types', async t => {
  const document = { _id: 1, z: new Double(3), a: { b: [1] }, name: 'x', long: Long.fromNumber(3) }
  const kept = { _id: 1, z: new Double(3), name: 'x', long: Long.fromNumber(3) }
  for (const one of [1, new Int32(1), new Double(1), Long.fromNumber(1), true]) {
    t.same(project(document, { name: one, long: one, missing: one, z: one }), Buffer.from(serialize(kept)))
  }
  t.same(project(document, { _id: 1 }), Buffer.from(serialize({ _id: 1 })))
})

t.test('a document without other fields is not copied, and an empty projection is all', async t => {
  const bytes = Buffer.from(serialize({ _id: 1, name: 'x', gpa: 3 }))
  t.equal(parseProjection(Buffer.from(serialize({ _id: 1, name: 1, gpa: 1 })))?.(bytes), bytes)
  t.equal(parseProjection(Buffer.from(serialize({}))), undefined)
})

t.test('find, its cursor and findAndModify answer what the projection leaves, and the rest stays stored', async t => {
  const { client } = await serverFor(t)
  const documents = [1, 2, 3].map(_id => ({ _id, large: 'x'.repeat(1_000), name: `n${_id}` }))
  await client.send({ insert: 'students' }, { sequences: { documents } })
  const first = await client.send({ find: 'students', projection: { name: 1 }, batchSize: 2 })
  t.same(first.cursor.firstBatch, [{ _id: 1, name: 'n1' }, { _id: 2, name: 'n2' }])
  const more = await client.send({ getMore: first.cursor.id, collection: 'students' })
  t.same(more.cursor.nextBatch, [{ _id: 3, name: 'n3' }])
})

t.test('a reply is as full as a message may be of what the projection leaves, not of what is stored', async t => {
  const { client } = await serverFor(t)
  const large = 'x'.repeat(6_000_000)
  for (const _id of [1, 2, 3, 4]) await client.send({ insert: 'students' }, { sequences: { documents: [{ _id, name: 'n', large }] } })
  const { cursor } = await client.send({ find: 'students', projection: { name: 1 }, batchSize: 100 })
  t.equal(cursor.firstBatch.length, 4)
  t.equal(Number(cursor.id), 0)
})
