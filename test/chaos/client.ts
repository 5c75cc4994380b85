import { Agent, request } from 'node:http'
import type { Below } from './corruption.js'
import { isGone, SETTLE_MS, textOf, type Judge, type ListRead, type Outcome, type Student, type Write } from './judge.js'
import type { Recovery } from './recovery.js'

/** A client keeps about so many students. */
const STUDENTS = 4

/** The API's own deadline is 1.5 s, and each wait of a client's has to end. */
const ANSWER_LIMIT_MS = 8_000

/** With as many the list may leave some out. */
const LIST_LIMIT = 1_000

const MAYBE = 'The change may have been applied.'
const NOTHING = 'Nothing was changed.'

interface Shown {
  id: string
  name?: string
  email?: string
  course?: string
}

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: Partial<Shown> & { detail?: string, students?: Shown[] }
}

/** What all clients have in common. */
export interface Load {
  url: string
  judge: Judge
  recovery: Recovery
  below: Below
  /** How many answers there were of each kind. */
  answers: Map<string, number>
  /** The longest that an answer took, in milliseconds. */
  slowestMs: number
}

/** One of many that write students of their own, read those of all, and tell the judge what they did and saw. */
export class Client {
  #load: Load
  #number: number
  #students: Student[] = []
  #made = 0
  #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor (load: Load, number: number) {
    this.#load = load
    this.#number = number
  }

  /** Does one thing after the other until it is told to end. */
  async run (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#step()
      await new Promise((resolve) => setTimeout(resolve, this.#load.below(20)))
    }
    this.#agent.destroy()
  }

  async #step (): Promise<void> {
    const { below } = this.#load
    this.#students = this.#students.filter((student) => !this.#retired(student))
    const at = below(100)
    if (at < 35) return this.#read(this.#any())
    if (at < 40) return this.#list()
    const student = this.#students[below(this.#students.length + 1)]
    if (!student && this.#students.length < STUDENTS) return this.#create()
    if (!student || !isSettled(student)) return this.#read(student ?? this.#any())
    return at < 50 ? this.#delete(student) : this.#update(student)
  }

  #retired (student: Student): boolean {
    if (!isGone(student)) return false
    this.#load.judge.retire(student)
    return true
  }

  #any (): Student | undefined {
    const { judge: { known }, below } = this.#load
    return known[below(known.length)]
  }

  async #read (student: Student | undefined): Promise<void> {
    if (student?.id !== undefined) await show(this.#load, this.#agent, student)
  }

  async #list (): Promise<void> {
    await list(this.#load, this.#agent)
  }

  async #create (): Promise<void> {
    const { judge } = this.#load
    const student = judge.newStudent(this.#number, this.#made++, now())
    this.#students.push(student)
    const write = judge.begin(student, 'create', now())
    const { status, body } = await this.#write(write, 'POST', '/students/', [201])
    if (status === 201 && body.id !== undefined) judge.identify(student, body.id)
  }

  async #update (student: Student): Promise<void> {
    const write = this.#load.judge.begin(student, 'update', now())
    const { status, body } = await this.#write(write, 'PUT', `/students/${student.id}`, [200, 404])
    if (status === 200) check(this.#load, body, textOf(write))
  }

  async #delete (student: Student): Promise<void> {
    await this.#write(this.#load.judge.begin(student, 'delete', now()), 'DELETE', `/students/${student.id}`, [204, 404])
  }

  async #write (write: Write, method: string, path: string, expected: number[]): Promise<Answer> {
    const { judge } = this.#load
    const read = judge.beginRead(write.student, now())
    const answer = await ask(this.#load, this.#agent, method, path, write.kind === 'delete' ? undefined : fieldsOf(textOf(write)), expected)
    judge.end(write, outcomeOf(answer), now())
    // what it would change was not there
    if (answer.status === 404) judge.endRead(read, undefined, 'lost write')
    return answer
  }
}

/** Asks for a student by its id, and lets the judge see. */
export async function show (load: Load, agent: Agent, student: Student, rule?: 'lost write'): Promise<number> {
  const read = load.judge.beginRead(student, now())
  const { status, body } = await ask(load, agent, 'GET', `/students/${student.id}`, undefined, [200, 404])
  if (status === 404) load.judge.endRead(read, undefined, rule)
  if (status === 200) load.judge.endRead(read, check(load, body), rule)
  return status
}

/** Asks for the list, and lets the judge see all that is in it and all that is not. */
export async function list (load: Load, agent: Agent): Promise<number> {
  const read = load.judge.beginList(now())
  const { status, body: { students = [] } } = await ask(load, agent, 'GET', '/students/', undefined, [200])
  if (status === 200) observe(load, read, students)
  return status
}

/** Lets the judge see all that a list shows, and what it leaves out. */
export function observe (load: Load, read: ListRead, students: Shown[], rule?: 'lost write'): void {
  load.judge.endList(read, students.map((shown) => ({ id: shown.id, text: check(load, shown) })), { isWhole: students.length < LIST_LIMIT, rule })
}

/** The text that all fields of a student have in common. */
function check ({ judge }: Load, { name = '', email = '', course = '' }: Partial<Shown>, expected = name): string {
  const fields = fieldsOf(expected)
  if (name !== fields.name || email !== fields.email || course !== fields.course) judge.violate('torn value', `${name}, ${email}, ${course}`)
  return name
}

function fieldsOf (text: string) {
  return { name: text, email: `${text.replaceAll(' ', '.')}@example.com`, course: text, gpa: 3 }
}

/** A student with a write that may still be applied is left alone, and so is one whose id is not known. */
function isSettled ({ id, writes }: Student): boolean {
  const last = writes.at(-1)
  return id !== undefined && (last?.outcome !== 'maybe' || now() >= (last.answeredAt ?? 0) + SETTLE_MS)
}

function outcomeOf ({ status, body: { detail = '' } }: Answer): Outcome {
  if (status === 404) return 'absent'
  if (status < 300) return 'acknowledged'
  return status === 503 && detail.endsWith(NOTHING) ? 'refused' : 'maybe'
}

async function ask (load: Load, agent: Agent, method: string, path: string, fields: object | undefined, expected: number[]): Promise<Answer> {
  const startedAt = now()
  const answer = await send(load.url + path, agent, method, fields).catch((error): Answer => ({ status: 0, headers: {}, body: { detail: String(error) } }))
  load.slowestMs = Math.max(load.slowestMs, now() - startedAt)
  load.recovery.answered(expected.includes(answer.status), startedAt)
  count(load, answer, method)
  const isOutage = answer.status === 503 && answer.headers['retry-after'] !== undefined && isTrue(answer, method)
  if (!expected.includes(answer.status) && !isOutage) load.judge.violate('wrong answer', `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer
}

/** Whether a 503 says of a write what became of it, and of a read nothing of the kind. */
function isTrue ({ body: { detail = '' } }: Answer, method: string): boolean {
  const saysEffect = [MAYBE, NOTHING].some((effect) => detail.endsWith(effect))
  return saysEffect === (method !== 'GET')
}

function count ({ answers }: Load, { status, body: { detail = '' } }: Answer, method: string): void {
  const effect = method === 'GET' ? 'read' : detail.endsWith(NOTHING) ? 'nothing was changed' : 'may have been applied'
  const kind = status === 503 ? `503 ${effect}` : String(status)
  answers.set(kind, (answers.get(kind) ?? 0) + 1)
}

async function send (url: string, agent: Agent, method: string, fields: object | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = fields ? { 'content-type': 'application/json' } : {}
    const outgoing = request(url, { agent, method, timeout: ANSWER_LIMIT_MS, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject).on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? {} : JSON.parse(text) })
      })
    })
    outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)))
    outgoing.end(fields && JSON.stringify(fields))
  })
}

export function now (): number {
  return performance.now()
}
