import { Double, Int32, type Document } from 'bson'
import t from 'tap'
import { serverFor, type WireClient } from './support.js'

const nsInfo = [{ ns: 'college.students' }, { ns: 'college.courses' }]

async function bulk (client: WireClient, ops: Document[], more: Document = {}): Promise<Document> {
  return client.send({ bulkWrite: 1, ...more, $db: 'admin' }, { sequences: { ops, nsInfo } })
}

t.test('updates and deletes of one document each have results of their own', async t => {
  const { client } = await serverFor(t)
  await client.send({ insert: 'students' }, { sequences: { documents: [{ _id: 1, name: 'a' }, { _id: 2 }, { _id: 3 }] } })
  const reply = await bulk(client, [
    { update: 0, filter: { _id: 1 }, updateMods: { $set: { name: 'b' } }, multi: false },
    { update: 0, filter: { _id: 1 }, updateMods: { $set: { name: 'b' } } },
    { delete: 0, filter: { _id: 2 } },
    { delete: 1, filter: { _id: 3 }, multi: false },
    { update: 0, filter: { _id: 9 }, updateMods: { $set: { name: 'x' } } },
    { update: 0, filter: { _id: { $in: [8, 3] }, name: { $exists: false } }, updateMods: { $set: { name: 'c' } } }
  ])
  const [n1, n0] = [new Int32(1), new Int32(0)]
  t.match(reply, { ok: new Double(1), nErrors: n0, nInserted: n0, nMatched: new Int32(3), nModified: new Int32(2), nUpserted: n0, nDeleted: n1 })
  t.same(reply.cursor.firstBatch, [
    { ok: n1, idx: n0, n: n1, nModified: n1 }, { ok: n1, idx: n1, n: n1, nModified: n0 }, { ok: n1, idx: new Int32(2), n: n1 },
    { ok: n1, idx: new Int32(3), n: n0 }, { ok: n1, idx: new Int32(4), n: n0, nModified: n0 }, { ok: n1, idx: new Int32(5), n: n1, nModified: n1 }
  ])
  t.same((await client.send({ find: 'students' })).cursor.firstBatch, [{ _id: n1, name: 'b' }, { _id: new Int32(3), name: 'c' }])
})

t.test('an operation that is refused ends an ordered bulk, and no other one', async t => {
  const { client } = await serverFor(t)
  await client.send({ insert: 'students' }, { sequences: { documents: [{ _id: 1 }, { _id: 2 }] } })
  const ops = [{ update: 0, filter: { _id: 1 }, updateMods: { $set: { _id: 5 } } }, { delete: 0, filter: { _id: 2 } }]
  t.match(await bulk(client, ops), { nErrors: new Int32(1), nDeleted: new Int32(0), cursor: { firstBatch: [{ ok: new Int32(0), code: new Int32(66), errmsg: String }] } })
  t.match(await bulk(client, ops, { ordered: false, errorsOnly: true }), { nErrors: new Int32(1), nDeleted: new Int32(1), cursor: { firstBatch: [{ idx: new Int32(0) }] } })
  const unknown = await bulk(client, [{ update: 0, filter: { name: 'x' }, updateMods: { $set: { a: 1 } } }, { update: 0, filter: { _id: 1 }, updateMods: { $push: { a: 1 } } }], { ordered: false })
  t.match(unknown.cursor.firstBatch, [{ code: new Int32(115) }, { code: new Int32(115) }])
})

t.test('more operations than one transaction has are made all the same, and an ordered bulk ends between two of them', async t => {
  const { client } = await serverFor(t)
  await client.send({ insert: 'students' }, { sequences: { documents: Array.from({ length: 1500 }, (_, _id) => ({ _id })) } })
  const ops = Array.from({ length: 1500 }, (_, n) => ({ delete: 0, filter: { _id: n } }))
  t.match(await bulk(client, [...ops.slice(0, 900), { update: 0, filter: { _id: 1499 }, updateMods: { $set: { _id: 1 } } }, ...ops.slice(900)]), { nErrors: new Int32(1), nDeleted: new Int32(900) })
  t.match(await bulk(client, ops), { nErrors: new Int32(0), nDeleted: new Int32(600) })
})

t.test('what a bulk cannot be is refused as a whole', async t => {
  const { client } = await serverFor(t)
  const one = { delete: 0, filter: { _id: 1 } }
  for (const [ops, code] of [
    [[{ insert: 0, document: {} }], 115], [[{ foo: 0 }], 9], [[{}], 9], [[{ delete: 2, filter: {} }], 2], [[{ delete: 0 }], 40414],
    [[{ update: 0, filter: {} }], 40414], [[{ ...one, multi: true }], 115], [[{ ...one, hint: {} }], 115], [[{ ...one, foo: 1 }], 40415]
  ] as const) t.match(await bulk(client, [...ops] as Document[]), { ok: new Double(0), code: new Int32(code) }, JSON.stringify(ops))
  t.match(await client.send({ bulkWrite: 1, ops: [one], nsInfo }), { code: new Int32(13) }, 'of another database')
  t.match(await client.send({ bulkWrite: 1, ops: [one], nsInfo: [{}], $db: 'admin' }), { code: new Int32(40414) })
  t.match(await client.send({ bulkWrite: 1, ops: [one], nsInfo: [{ ns: 'college.' }], $db: 'admin' }), { code: new Int32(73) })
  t.match(await client.send({ bulkWrite: 1, ops: [], nsInfo, $db: 'admin' }), { code: new Int32(16) })
})
