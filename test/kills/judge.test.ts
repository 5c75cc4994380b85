import { serialize } from 'bson'
import t from 'tap'
import { stepOf } from './commands.js'
import type { Answer } from './http.js'
import { countEach, differences, outcomeOf, strangers, wrongCounts, wrongTogether, type Keyed } from './judge.js'

const fields = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Kills', gpa: 3.5 }
const one: Keyed = { key: 'a', isBatch: false, students: [fields] }
const batch: Keyed = { key: 'b', isBatch: true, students: [fields, { ...fields, email: 'second@example.com' }] }

const created = { status: 201, headers: { location: '/students/1', etag: '"x"' }, body: { id: '1', ...fields } }
const replayed = { ...created, headers: { ...created.headers, 'idempotent-replayed': 'true' } }
const inUse = { status: 409, headers: { 'retry-after': '1' }, body: {} }

/** A command as the driver writes it: a header, flags, and one section with the document. */
function message (command: object, opcode = 2013): Buffer {
  const header = Buffer.alloc(21)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, serialize(command)])
}

const results = (...statuses: number[]) => statuses.map((status, index) => ({ status, id: String(index), etag: `"${index}"` }))

t.test('the commands of the three steps are told from others', async (t) => {
  const done = { $set: { is_done: true } }
  t.equal(stepOf(message({ insert: 'idempotency_keys', documents: [{ is_done: false }] })), 'key reserved')
  t.equal(stepOf(message({ insert: 'students', documents: [{ name: 'idempotency_keys' }] })), 'student inserted')
  t.equal(stepOf(message({ bulkWrite: 1, nsInfo: [{ ns: 'x.idempotency_keys' }], ops: [{ updateMods: done }] })), 'key done')
  t.equal(stepOf(message({ findAndModify: 'idempotency_keys', update: done })), 'key done')
  for (const other of [{ insert: 'users' }, { find: 'students' }, { findAndModify: 'idempotency_keys', update: { $set: { holder: 'x' } } }, { bulkWrite: 1, nsInfo: [{ ns: 'x.students' }], ops: [done] }]) {
    t.equal(stepOf(message(other)), undefined)
  }
  t.equal(stepOf(message({ insert: 'students' }, 2012)), undefined)
  t.equal(stepOf(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), undefined)
  t.equal(stepOf(Buffer.from('insert')), undefined)
})

t.test('an answer is final, or says to come again, or is wrong', async (t) => {
  const outcomes = (request: Keyed, ...answers: (Answer | undefined)[]) => answers.map((answer) => outcomeOf(request, answer))
  t.strictSame(outcomes(one, undefined, created, replayed, inUse, { ...inUse, status: 503 }), ['cut', 'answered', 'answered', 'wait', 'wait'])
  t.strictSame(outcomes(one, { ...inUse, headers: {} }, { ...created, status: 500 }, { ...created, status: 422 }), ['wrong', 'wrong', 'wrong'])
  const answer = (...statuses: number[]) => ({ status: 207, headers: {}, body: { results: results(...statuses) } })
  t.strictSame(outcomes(batch, answer(201, 201), answer(201, 503), answer(201, 409), created), ['answered', 'wait', 'wrong', 'wrong'])
})

t.test('an answer that differs from the first one is seen, in each of its parts', async (t) => {
  const shown = [{ id: '1', etag: '"x"' }]
  t.strictSame(differences(one, shown, replayed), [])
  const wrong = [
    { ...created, status: 200 },
    { ...created, headers: { etag: '"x"' } },
    { ...created, headers: { ...created.headers, etag: '"y"' } },
    { ...created, body: { ...created.body, id: '2' } },
    { ...created, body: { ...created.body, more: 1 } }
  ]
  t.strictSame(wrong.map((answer) => differences(one, shown, answer).map((each) => each.split(':')[0])), [['status'], ['location'], ['etag'], ['body'], ['body']])
  const body = { results: results(201, 201), summary: { ok: 2, failed: 0 } }
  const both = [{ id: '0', etag: '"0"' }, { id: '1', etag: '"1"' }]
  t.strictSame(differences(batch, both, { status: 207, headers: {}, body }), [])
  t.equal(differences(batch, both, { status: 207, headers: {}, body: { ...body, results: body.results.reverse() } }).length, 1)
})

t.test('students that are missing, there twice or of no key are seen', async (t) => {
  const counts = countEach(['jdoe@example.com', 'jdoe@example.com', 'other@example.com'])
  t.strictSame(wrongCounts(batch, counts), ['jdoe@example.com is there 2 times', 'second@example.com is there 0 times'])
  t.strictSame(strangers([one, batch], counts), ['other@example.com'])
  t.strictSame(wrongCounts(one, countEach(['jdoe@example.com'])), [])
})

t.test('of requests that come together one makes the student, and all others replay or wait', async (t) => {
  t.strictSame(wrongTogether([inUse, created, replayed, inUse]), [])
  t.strictSame(wrongTogether([created, created]), ['2 made it'])
  t.strictSame(wrongTogether([replayed]), ['0 made it', '1 replays differ from the first answer'])
  t.strictSame(wrongTogether([created, { ...replayed, body: { id: '2' } }]), ['1 replays differ from the first answer'])
  t.strictSame(wrongTogether([created, { ...inUse, headers: {} }, undefined, { ...inUse, status: 500 }]), ['3 were neither a replay nor 409 with Retry-After'])
})
