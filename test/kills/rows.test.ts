import t from 'tap'
import { formats, makeFile } from './file.js'
import { countEach } from './judge.js'
import { isToComeAgain, tally, wrongReplay, wrongSummary } from './rows.js'
import { RandomBson } from '../random-bson.js'

const chance = (seed: number) => {
  const random = new RandomBson(seed)
  return (limit: number): number => random.below(limit)
}

const file = makeFile(1, 'NDJSON', 5_000, chance(1))

for (const format of formats) {
  t.test(`a file of ${format} is the same for the same seed, with each row valid or not`, async (t) => {
    const made = makeFile(2, format, 5_000, chance(2))
    t.strictSame(made, makeFile(2, format, 5_000, chance(2)))
    t.equal(made.valid.size + made.faulty.length, 5_000)
    t.ok(made.faulty.length > 0)
    t.ok(made.bytes.toString().includes('f2.5000@example.com'))
  })
}

t.test('rows that are missing, there twice or refused and there all the same are counted', async (t) => {
  const emails = [...file.valid]
  t.strictSame(tally(file, countEach(emails)), { twice: 0, missing: 0, strange: 0 })
  t.strictSame(tally(file, countEach([...emails.slice(2), ...emails.slice(-3), 'other@example.com'])), { twice: 3, missing: 2, strange: 1 })
})

t.test('a summary that differs in its counts or its faults is seen', async (t) => {
  const body = { rows: 5_000, created: file.valid.size, failed: file.faulty.length, faults: file.faulty.map((row) => ({ line: row, row, detail: 'x' })) }
  const wrong = (changes: object, status = 200) => wrongSummary(file, { status, headers: {}, body: { ...body, ...changes } }).length
  t.equal(wrong({}), 0)
  t.strictSame([wrong({ rows: 4_999 }), wrong({ created: 1 }), wrong({ failed: 0 }), wrong({ faults: [] }), wrong({}, 422)], [1, 1, 1, 1, 1])
})

t.test('a replay that says something else, or not that it is one, is seen', async (t) => {
  const first = { status: 200, headers: {}, body: { rows: 1 } }
  const replay = { ...first, headers: { 'idempotent-replayed': 'true' } }
  t.strictSame([wrongReplay(first, replay), wrongReplay(first, first).length, wrongReplay(first, { ...replay, body: {} }).length, wrongReplay(first, undefined).length], [[], 1, 1, 1])
})

t.test('a file is sent again while it is worked on, and when the database is away', async (t) => {
  const answers = [{ status: 409, headers: { 'retry-after': '1' }, body: {} }, { status: 503, headers: {}, body: {} }, { status: 409, headers: {}, body: {} }, { status: 200, headers: {}, body: {} }]
  t.strictSame(answers.map(isToComeAgain), [true, true, false, false])
})
