import t from 'tap'
import { Judge, SETTLE_MS, type Outcome, type Student, type Write } from './judge.js'
import { Recovery, RECOVERY_MS } from './recovery.js'

/** A student that was made, with a clock that goes on by 10 ms with each thing that happens. */
function build () {
  const judge = new Judge()
  const clock = { now: 0 }
  const tick = () => (clock.now += 10)
  const student = judge.newStudent(1, 1, tick())
  const write = (kind: Write['kind'], outcome: Outcome): Write => {
    const begun = judge.begin(student, kind, tick())
    judge.end(begun, outcome, tick())
    return begun
  }
  const read = (version: number | undefined, of: Student = student) => judge.endRead(judge.beginRead(of, tick()), version === undefined ? undefined : `c1 s1 v${version}`)
  write('create', 'acknowledged')
  judge.identify(student, 'a')
  const rules = () => judge.violations.map(({ rule }) => rule)
  return { judge, clock, tick, student, write, read, rules }
}

t.test('what a database may do is no violation', async (t) => {
  const { judge, clock, tick, student, write, read, rules } = build()
  read(0)
  write('update', 'maybe')
  read(0)
  read(1)
  write('update', 'refused')
  const update = judge.begin(student, 'update', tick())
  read(1)
  read(3)
  judge.end(update, 'acknowledged', tick())
  write('update', 'maybe')
  clock.now += SETTLE_MS
  read(3)
  judge.endList(judge.beginList(tick()), [{ id: 'a', text: 'c1 s1 v3' }], { isWhole: true })
  write('delete', 'maybe')
  read(3)
  read(undefined)
  write('update', 'absent')
  judge.endList(judge.beginList(tick()), [], { isWhole: true })
  t.strictSame(rules(), [])
})

t.test('a lost write is seen, by a read, by an absence and in a list', async (t) => {
  const { judge, tick, write, read, rules } = build()
  write('update', 'acknowledged')
  read(0)
  read(undefined)
  judge.endList(judge.beginList(tick()), [], { isWhole: false })
  judge.endList(judge.beginList(tick()), [], { isWhole: true, rule: 'lost write' })
  t.strictSame(rules(), ['stale read', 'stale read', 'lost write'])
})

t.test('a value older than one that was read is seen, unless the database was killed between', async (t) => {
  const { judge, tick, write, read, rules, student } = build()
  write('update', 'maybe')
  read(1)
  const begun = judge.beginRead(student, tick())
  judge.killed()
  judge.endRead(begun, 'c1 s1 v0')
  read(0)
  t.strictSame(rules(), [])
  read(1)
  read(0)
  t.strictSame(rules(), ['stale read'])
})

t.test('a deleted student that is back is seen', async (t) => {
  const { judge, tick, write, read, rules } = build()
  write('delete', 'acknowledged')
  read(0)
  judge.endList(judge.beginList(tick()), [{ id: 'a', text: 'c1 s1 v0' }], { isWhole: true })
  t.strictSame(rules(), ['stale read', 'stale read'])
})

t.test('a write that comes when its time is over is seen', async (t) => {
  const { judge, tick, clock, student, write, read, rules } = build()
  write('update', 'maybe')
  clock.now += SETTLE_MS
  read(0)
  read(1)
  write('delete', 'maybe')
  clock.now += SETTLE_MS
  read(1)
  const late = judge.beginRead(student, tick())
  write('delete', 'absent')
  judge.endRead(late, undefined)
  t.strictSame(rules(), ['late write', 'late write'])
})

t.test('a delete that finds none does not explain that, but an earlier one does', async (t) => {
  const { judge, tick, student, write, read, rules } = build()
  const read404 = () => {
    const begun = judge.beginRead(student, tick())
    write('delete', 'absent')
    judge.endRead(begun, undefined, 'lost write')
  }
  read404()
  t.strictSame(rules(), ['lost write'])
  write('delete', 'maybe')
  const second = judge.begin(student, 'delete', tick())
  read(undefined)
  judge.end(second, 'absent', tick())
  read(undefined)
  read404()
  t.strictSame(rules(), ['lost write'])
})

t.test('a command that leaves the API after its answer is seen', async (t) => {
  const { judge, clock, tick, student, write, rules } = build()
  write('update', 'maybe')
  judge.sent({ texts: ['c1 s1 v1'], deleted: [] }, tick())
  write('delete', 'maybe')
  judge.sent({ texts: [], deleted: ['a'] }, tick())
  t.strictSame(rules(), [])
  clock.now += 1_000
  judge.sent({ texts: ['c1 s1 v1'], deleted: ['a'] }, tick())
  t.strictSame(rules(), ['late write', 'late write'])
  t.equal(student.writes.length, 3)
})

t.test('a command that reaches the database after its answer is seen; a create may, for those that it waits with', async (t) => {
  const { judge, clock, tick, write, rules } = build()
  const command = { texts: ['c1 s1 v0', 'c1 s1 v1'], deleted: ['a'] }
  write('update', 'maybe')
  write('delete', 'maybe')
  judge.delivered(command, tick())
  t.strictSame(rules(), [])
  clock.now += 500
  judge.delivered(command, tick())
  t.strictSame(rules(), ['late write', 'late write'])
  clock.now += 1_500
  judge.delivered({ ...command, deleted: [] }, tick())
  t.strictSame(rules(), Array(4).fill('late write'))
})

t.test('a refused write that is sent, before or after, or read is seen', async (t) => {
  const { judge, tick, student, write, read, rules } = build()
  write('update', 'refused')
  judge.sent({ texts: ['c1 s1 v1'], deleted: [] }, tick())
  const update = judge.begin(student, 'update', tick())
  judge.sent({ texts: ['c1 s1 v2'], deleted: [] }, tick())
  judge.end(update, 'refused', tick())
  read(1)
  const third = judge.begin(student, 'update', tick())
  read(3)
  judge.end(third, 'refused', tick())
  t.strictSame(rules(), Array(4).fill('refused write applied'))
})

t.test('a value that nobody wrote, and a student that is there twice, are seen', async (t) => {
  const { judge, tick, read, rules } = build()
  read(7)
  judge.endList(judge.beginList(tick()), [{ id: 'a', text: 'c1 s1 v0' }, { id: 'b', text: 'c1 s1 v0' }, { id: 'c', text: 'c9 s9 v0' }], { isWhole: true })
  t.strictSame(rules(), ['unknown value', 'second student', 'unknown value'])
})

t.test('a list tells nothing of a student that was made after it was asked for', async (t) => {
  const { judge, tick, rules } = build()
  const read = judge.beginList(tick())
  const student = judge.newStudent(1, 2, tick())
  for (const kind of ['create', 'update'] as const) judge.end(judge.begin(student, kind, tick()), 'acknowledged', tick())
  judge.endList(read, [{ id: 'a', text: 'c1 s1 v0' }, { id: 'b', text: 'c1 s2 v0' }], { isWhole: true })
  t.strictSame(rules(), [])
})

t.test('an absence that was seen before the create was acknowledged is none by a later delete', async (t) => {
  const { judge, tick, rules } = build()
  const student = judge.newStudent(1, 2, tick())
  const create = judge.begin(student, 'create', tick())
  const early = judge.beginRead(student, tick())
  judge.end(create, 'acknowledged', tick())
  judge.begin(student, 'delete', tick())
  judge.endRead(early, undefined)
  judge.endRead(judge.beginRead(student, tick()), 'c1 s2 v0')
  t.strictSame(rules(), [])
})

t.test('requests that fail too long after a fault are seen, and a pause in which none succeeds', async (t) => {
  const { judge, rules } = build()
  const recovery = new Recovery(judge, 0)
  recovery.answered(false, 10)
  recovery.faultBegan(20)
  recovery.answered(false, 20)
  recovery.faultEnded(100)
  recovery.answered(false, 99)
  recovery.answered(true, 120)
  recovery.answered(false, 130)
  recovery.faultBegan(100 + RECOVERY_MS + 10)
  t.strictSame([rules(), recovery.longest], [[], 30])
  recovery.faultEnded(5_000)
  recovery.answered(false, 5_001 + RECOVERY_MS)
  recovery.faultBegan(5_002 + RECOVERY_MS)
  t.strictSame(rules(), ['slow recovery', 'slow recovery'])
})
