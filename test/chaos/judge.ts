/** How long after its 503 a write that may have been applied can still reach the database; its client leaves the student alone meanwhile. */
export const SETTLE_MS = 2_000

/** The proxy and the clients share one event loop, which may hear of an answer before it hears of the command. */
const TOLERANCE_MS = 250

/** A create may share its round trip with others, which wait so much longer at most. */
const DEADLINE_MS = 1_500

/** What is kept of the students that are gone, so that they are read now and then. */
const GONE_KEPT = 16

const VALUE = /c(\d+) s(\d+) v(\d+)/

export type Outcome = 'acknowledged' | 'maybe' | 'refused' | 'absent'

export type Rule = 'lost write' | 'late write' | 'stale read' | 'refused write applied' | 'unknown value' | 'torn value' |
  'second student' | 'wrong answer' | 'slow recovery' | 'crash' | 'memory'

export interface Violation {
  rule: Rule
  detail: string
}

export interface Write {
  kind: 'create' | 'update' | 'delete'
  student: Student
  /** Its place among the writes of its student, and what its value says. */
  version: number
  beganAt: number
  outcome?: Outcome
  answeredAt?: number
  /** When it was seen on its way to the database. */
  sentAt?: number
  deliveredAt?: number
  /** It may have been applied, but was not when its time was over. */
  isNever?: boolean
}

export interface Student {
  key: string
  id?: string
  madeAt: number
  writes: Write[]
  /** The newest version that is known to be applied, by an acknowledgement or, until the database is killed, by a read; -1 for none. */
  acknowledged: number
  seen: { version: number, epoch: number }
}

/** The texts of the values in a command, and the ids that it deletes. */
export interface Command {
  texts: Iterable<string>
  deleted: Iterable<string>
}

/** A read under way: what it has to show at least is known when it begins. */
export interface Read {
  student: Student
  startedAt: number
  epoch: number
  acknowledged: number
  seen: number
}

/** A read of all students under way. */
export interface ListRead {
  startedAt: number
  reads: Map<Student, Read>
}

/**
 * Knows what each student may look like. Each has one client that writes it, one write at a time, so its writes stand in one order
 * and each value tells its place in it. Times are in milliseconds of one clock.
 */
export class Judge {
  violations: Violation[] = []
  #students = new Map<string, Student>()
  #byId = new Map<string, Student>()
  /** Those that a list may show. */
  #present = new Set<Student>()
  #gone: Student[] = []
  #epoch = 0

  violate (rule: Rule, detail: string): void {
    this.violations.push({ rule, detail })
  }

  newStudent (client: number, serial: number, now: number): Student {
    const student = { key: `c${client} s${serial}`, madeAt: now, writes: [], acknowledged: -1, seen: { version: -1, epoch: this.#epoch } }
    this.#students.set(student.key, student)
    this.#present.add(student)
    return student
  }

  /** Students that a reader may ask for: those that are there or may be, and some that are gone. */
  get known (): Student[] {
    return [...this.#byId.values()]
  }

  identify (student: Student, id: string): void {
    if (student.id !== undefined && student.id !== id) this.violate('second student', `${student.key} is ${student.id} and ${id}`)
    student.id ??= id
    this.#byId.set(id, student)
  }

  /** It is not written any more. */
  retire (student: Student): void {
    this.#gone.push(student)
    const forgotten = this.#gone.length > GONE_KEPT ? this.#gone.shift() : undefined
    if (forgotten?.id !== undefined) this.#byId.delete(forgotten.id)
  }

  begin (student: Student, kind: Write['kind'], now: number): Write {
    const write = { kind, student, version: student.writes.length, beganAt: now }
    student.writes.push(write)
    return write
  }

  end (write: Write, outcome: Outcome, now: number): void {
    const { student, version } = write
    write.outcome = outcome
    write.answeredAt = now
    if (outcome === 'acknowledged') student.acknowledged = version
    if (outcome === 'refused' && write.sentAt !== undefined) this.violate('refused write applied', `${textOf(write)} was sent, and refused`)
    if (outcome === 'refused' && student.seen.version === version) this.violate('refused write applied', `${textOf(write)} was read before it was refused`)
  }

  beginRead (student: Student, now: number): Read {
    const { acknowledged, seen } = student
    return { student, startedAt: now, epoch: this.#epoch, acknowledged, seen: seen.epoch === this.#epoch ? seen.version : -1 }
  }

  /** A read that found the student with this text, or none. */
  endRead (read: Read, text: string | undefined, rule: Rule = 'stale read'): void {
    const { student } = read
    // what was read but not acknowledged may be lost with the process of the database
    const floor = Math.max(read.acknowledged, read.epoch === this.#epoch ? read.seen : -1)
    const version = text === undefined ? this.#absence(student, floor) : this.versionIn(student, text)
    if (version === undefined) return
    const write = student.writes[version]
    const shown = `${write ? textOf(write) : `no ${student.key}`}${text === undefined ? ', which is not there,' : ''}`
    if (version < floor) this.violate(rule, `${shown} was read after v${floor}, by a read that began at ${Math.round(read.startedAt)}: ${historyOf(student)}`)
    else if (write?.outcome === 'refused' || (write?.outcome === 'absent' && text !== undefined)) this.violate('refused write applied', `${shown} was read`)
    else if (write?.isNever) this.violate('late write', `${shown} had no effect ${SETTLE_MS} ms after its answer, and has now, by a read that began at ${Math.round(read.startedAt)}: ${historyOf(student)}`)
    else this.#settle(read, version)
  }

  beginList (now: number): ListRead {
    const present = [...this.#present].filter((student) => !isGone(student) || !this.#present.delete(student))
    return { startedAt: now, reads: new Map(present.map((student) => [student, this.beginRead(student, now)])) }
  }

  /** A list with these students; one that is whole shows by what it leaves out that this is not there. */
  endList ({ startedAt, reads }: ListRead, shown: { id: string, text: string }[], { isWhole, rule }: { isWhole: boolean, rule?: Rule | undefined }): void {
    for (const { id, text } of shown) {
      const student = this.studentIn(text)
      if (!student) continue
      this.identify(student, id)
      // one that was not there when the list was asked for may have been made, and more, since
      const unknown = student.madeAt >= startedAt ? { acknowledged: -1, seen: -1 } : {}
      this.endRead(reads.get(student) ?? { ...this.beginRead(student, startedAt), ...unknown }, text, rule)
      reads.delete(student)
    }
    if (isWhole) for (const read of reads.values()) this.endRead(read, undefined, rule)
  }

  /** The student of a text. */
  studentIn (text: string): Student | undefined {
    const [, client, serial] = VALUE.exec(text) ?? []
    const student = this.#students.get(`c${client} s${serial}`)
    if (!student) this.violate('unknown value', text)
    return student
  }

  versionIn (student: Student, text: string): number | undefined {
    const [value, , , version] = VALUE.exec(text) ?? []
    if (value?.startsWith(`${student.key} `) && student.writes[Number(version)]) return Number(version)
    this.violate('unknown value', `${text} for ${student.key}`)
    return undefined
  }

  /** A command that left the API. */
  sent (command: Command, now: number): void {
    for (const write of this.#writesIn(command)) this.#sent(write, now)
  }

  /** A command that reached the database. On a connection that the API has closed nothing does, and it has to close those that nobody waits for. */
  delivered (command: Command, now: number): void {
    for (const write of this.#writesIn(command)) {
      write.deliveredAt ??= now
      const lateMs = now - (write.answeredAt ?? now) - TOLERANCE_MS - (write.kind === 'create' ? DEADLINE_MS : 0)
      if (lateMs > 0) this.violate('late write', `${textOf(write)} reached the database ${Math.round(now - (write.answeredAt ?? now))} ms after its answer`)
    }
  }

  /** The database was killed: what was read and not acknowledged may be gone. */
  killed (): void {
    this.#epoch++
  }

  #writesIn ({ texts, deleted }: Command): Write[] {
    const changes = [...texts].map((text) => {
      const student = this.studentIn(text)
      return student?.writes[this.versionIn(student, text) ?? -1]
    })
    const deletes = [...deleted].map((id) => this.#byId.get(id)?.writes.findLast(({ kind }) => kind === 'delete'))
    return [...changes, ...deletes].filter((write) => write !== undefined)
  }

  #sent (write: Write, now: number): void {
    write.sentAt ??= now
    if (write.outcome === 'refused') this.violate('refused write applied', `${textOf(write)} was sent after it was refused`)
    else if (write.answeredAt !== undefined && now - write.answeredAt > TOLERANCE_MS) {
      this.violate('late write', `${textOf(write)} was sent ${Math.round(now - write.answeredAt)} ms after its answer`)
    }
  }

  /**
   * The version that explains that a student is not there: the first delete that may have done it, or that it was not made yet.
   * A delete that found none explains nothing.
   */
  #absence ({ writes }: Student, floor: number): number {
    if (floor < 0) return -1
    const deletes = writes.filter(({ kind, outcome, version }) => kind === 'delete' && outcome !== 'refused' && outcome !== 'absent' && version >= floor)
    return (deletes.find(({ isNever }) => !isNever) ?? deletes[0])?.version ?? -1
  }

  #settle ({ student, startedAt, epoch }: Read, version: number): void {
    if (epoch === this.#epoch) student.seen = { version: Math.max(version, student.seen.epoch === epoch ? student.seen.version : -1), epoch }
    for (const write of student.writes.slice(version + 1)) {
      const isOver = write.outcome === 'maybe' && write.answeredAt !== undefined && startedAt >= write.answeredAt + SETTLE_MS
      if (isOver) write.isNever = true
    }
  }
}

export function textOf ({ student: { key }, version }: Pick<Write, 'student' | 'version'>): string {
  return `${key} v${version}`
}

/** The last writes of a student, for the reader of a violation: when each began, was sent, reached the database and was answered. */
function historyOf ({ writes }: Student): string {
  return writes.slice(-6).map(({ kind, version, outcome = 'under way', beganAt, answeredAt = NaN, sentAt = NaN, deliveredAt = NaN }) =>
    `v${version} ${kind} ${outcome} [${[beganAt, sentAt, deliveredAt, answeredAt].map(Math.round).join(' ')}]`).join(', ')
}

/** Whether the student is gone for good, or was never made. */
export function isGone ({ writes }: Student): boolean {
  const [create] = writes
  const last = writes.at(-1)
  if (create?.outcome === 'refused' || create?.isNever) return true
  return last?.outcome === 'absent' || (last?.kind === 'delete' && last.outcome === 'acknowledged')
}
