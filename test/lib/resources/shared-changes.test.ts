import { setImmediate as turn } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import type { MongoRepository } from '../../../lib/resources/mongo-repository.js'
import type { student } from '../../../schemas/student.js'
import { build, bulkReply, cursor, ids, idsOf, stored } from './held-students.js'

/** The sizes of the commands that hold what comes while two changes hang. */
async function changeSizes (t: Test, count: number, call: (students: MongoRepository<typeof student.fields>, id: string) => Promise<unknown>) {
  const { students, nth, held } = await build(t)
  const call1 = async () => call(students, new ObjectId().toHexString())
  const calls: Promise<unknown>[] = []
  for (const n of [0, 1]) {
    calls.push(call1())
    await nth(n)
  }
  calls.push(...Array.from({ length: count }, call1))
  await turn()
  t.equal(held.length, 2, 'no more than two are under way')
  const sizes: number[] = []
  for (let n = 0, seen = 0; seen < count; n++) {
    const { command, answer } = await nth(n)
    if (command.bulkWrite) sizes.push(command.ops.length)
    if (command.bulkWrite && command.ops[0].delete !== undefined) seen += command.ops.length
    if (command.find) seen += idsOf(command).length
    if (command.findAndModify && n > 1) seen++
    answer(command.bulkWrite ? bulkReply(command.ops.length) : command.find ? cursor(...idsOf(command).map((id: string) => stored(id))) : { ok: 1, n: 1, value: stored(ids[0]) })
  }
  t.ok((await Promise.all(calls)).every(Boolean))
  return sizes
}

t.test('changes of different students that come while two are under way are one command, and one find of the updated ones', async (t) => {
  const { students, nth, held } = await build(t)
  const [a = '', b = '', c = '', d = '', e = ''] = ids
  const lone = [students.update(a, { name: 'a' }), (async () => { await nth(0); return students.delete(b) })()]
  t.match((await nth(1)).command, { delete: 'students' })
  t.match(held[0]?.command, { findAndModify: 'students' }, 'one alone goes in one command')
  const together = [students.update(c, { name: 'c' }), students.delete(d), students.update(e.toUpperCase(), { gpa: 2 }), students.delete(String(ids[5]))]
  await turn()
  t.equal(held.length, 2)
  held[1]?.answer({ ok: 1, n: 1 })
  const bulk = await nth(2)
  t.match(bulk.command.ops, [
    { update: 0, filter: { _id: new ObjectId(c) }, updateMods: { $set: { name: 'c' } } }, { delete: 0, filter: { _id: new ObjectId(d) } },
    { update: 0, filter: { _id: new ObjectId(e) } }, { delete: 0 }
  ])
  const reply = bulkReply(4)
  const [,,, last] = reply.cursor.firstBatch
  if (last) last.n = 0
  bulk.answer(reply)
  const asText = await nth(3)
  t.match(asText.command.ops, [{ delete: 0, filter: { _id: ids[5] } }], 'what is not there as an ObjectId may be there as text')
  asText.answer(bulkReply(1, 0))
  const find = await nth(4)
  t.strictSame(idsOf(find.command), [c, e])
  find.answer(cursor(stored(e, 'e'), stored(c, 'c')))
  held[0]?.answer({ ok: 1, value: stored(a, 'a') })
  t.match(await Promise.all(lone), [{ id: a, name: 'a' }, true])
  t.match(await Promise.all(together), [{ id: c, name: 'c' }, true, { id: e, name: 'e' }, false])
  t.equal(held.length, 5)
})

t.test('two changes of one student never share a command', async (t) => {
  const { students, nth, held } = await build(t)
  const [a = '', b = ''] = ids
  const changes = [students.update(a, { name: '1' }), students.update(b, { name: '2' }), students.update(a.toUpperCase(), { name: '3' }), students.delete(a)]
  const commands = await Promise.all([0, 1, 2].map(async (n) => (await nth(n)).command))
  await turn()
  t.strictSame(commands.map(({ bulkWrite, findAndModify, delete: deletes }) => bulkWrite ?? findAndModify ?? deletes).toSorted(), [1, 'students', 'students'])
  for (const { command, answer } of [...held]) answer(command.bulkWrite ? bulkReply(2) : { ok: 1, n: 1, value: stored(a, '3') })
  const find = await nth(3)
  t.strictSame(idsOf(find.command), [a, b])
  find.answer(cursor(stored(b)))
  const asText = await nth(4)
  t.strictSame(idsOf(asText.command), [a])
  asText.answer(cursor())
  t.match(await Promise.all(changes), [undefined, { id: b }, { name: '3' }, true], 'and one that is gone when it is read is not there')
  const again = students.update(a, { name: '4' })
  t.match((await nth(5)).command, { findAndModify: 'students' })
  held[5]?.answer({ ok: 1, value: stored(a, '4') })
  t.match(await again, { name: '4' })
})

t.test('a server that does not take many changes in one command is asked once, and gets each alone', async (t) => {
  const { students, nth, held } = await build(t)
  const [a = '', b = '', c = '', d = ''] = ids
  const first = [students.update(a, { name: 'a' }), students.delete(b)]
  const bulk = await nth(0)
  bulk.answer({ ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: "no such command: 'bulkWrite'" })
  const answerNext = async (n: number) => (await nth(n)).answer({ ok: 1, n: 1, value: stored(a, 'a') })
  await Promise.all([1, 2].map(answerNext))
  t.match(await Promise.all(first), [{ id: a }, true])
  const later = [students.update(c, { name: 'c' }), students.delete(d), students.changeMany([{ id: a }, { id: b, changes: { gpa: 1 } }])]
  await Promise.all([3, 4, 5, 6].map(answerNext))
  t.match(await Promise.all(later), [{ name: 'a' }, true, [true, { name: 'a' }]])
  t.strictSame(held.slice(1).filter(({ command }) => command.bulkWrite).length, 0)
})

t.test('changes whose time is up while it is read what is there have changed nothing', async (t) => {
  const { students, nth } = await build(t, '', {}, 200)
  const [a = '', b = ''] = ids
  const outcomes = Promise.allSettled([students.update(a, { name: 'a' }, () => true), students.delete(b, () => true)])
  t.match((await nth(0)).command, { find: 'students' })
  t.match(await outcomes, [0, 1].map(() => ({ reason: { statusCode: 503, message: /Nothing was changed/ } })))
  const alone = Promise.allSettled([students.delete(a, () => true)])
  t.match((await nth(1)).command, { find: 'students' })
  t.match(await alone, [{ reason: { message: /Nothing was changed/ } }])
})

t.test('a command holds at most 256 changes, and at most a megabyte of them', async (t) => {
  t.strictSame(await changeSizes(t, 300, async (students, id) => students.delete(id)), [256, 44])
  t.strictSame(await changeSizes(t, 300, async (students, id) => students.update(id, { name: 'x' })), [256, 44])
  t.strictSame(await changeSizes(t, 5, async (students, id) => students.update(id, { course: 'x'.repeat(150_000) })), [2, 2])
})

t.test('changes of one student go at the same time, as many as a third of the connections beside the one that may share, and no more', async (t) => {
  for (const [maxPoolSize, bound] of [[100, 32], [12, 4]] as const) {
    const { students, nth, held } = await build(t, `&maxPoolSize=${maxPoolSize}`)
    const updates = Array.from({ length: 40 }, () => students.update(String(ids[0]), { name: 'x' }))
    await nth(bound)
    await turn()
    t.equal(held.length, bound + 1)
    for (let n = 0; n < 40; n++) (await nth(n)).answer({ ok: 1, value: stored(ids[0]) })
    t.equal((await Promise.all(updates)).length, 40)
  }
})
