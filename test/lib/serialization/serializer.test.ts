import { serialize, type Document } from 'bson'
import { inspect } from 'node:util'
import fastJsonStringify from 'fast-json-stringify'
import t from 'tap'
import { decode } from '../../../lib/serialization/bson.js'
import { createSerializerCompiler } from '../../../lib/serialization/serializer.js'
import { RawDocument, RawList } from '../../../lib/serialization/raw-document.js'
import { compileDocument, type DocumentReader } from '../../../lib/serialization/bson-json.js'
import { Student, StudentCollection } from '../../../schemas/student.js'
import { RandomBson } from '../../random-bson.js'
import { janeDoe, unknownId } from '../../samples.js'

/** More of them in the long run, and others: npm run fuzz:serializer. */
const DOCUMENTS = Number(process.env.FUZZ_DOCUMENTS ?? 2_000)
const SEED = Number(process.env.FUZZ_SEED ?? 1)

const compile = createSerializerCompiler()
const studentToJson = compile({ schema: Student })
const listToJson: (value: unknown) => string | Buffer = compile({ schema: StudentCollection })
/** Fastify's own way. */
const stringify = fastJsonStringify(Student)

const bytes = (name = janeDoe.name) => Buffer.from(serialize({ _id: unknownId, ...janeDoe, name }))
const { read } = compileDocument(Student as object) as DocumentReader
const toRawStudent = (bson: Buffer) => RawDocument.behind(read(bson) as Student, { bson })
const stored = (name?: string) => toRawStudent(bytes(name))
const listed = (documents: Buffer[], beside = {}) => Object.assign(RawList.under('students', documents, (bson) => read(bson) as Student), beside)

t.test('one student is a string, and so is a short list; a long list is bytes', async (t) => {
  t.strictSame(studentToJson(stored()), JSON.stringify({ id: unknownId, ...janeDoe }))
  t.equal(listToJson(listed([])), '{"students":[]}')
  t.equal(listToJson(listed([bytes('A'), bytes('B')])), JSON.stringify({ students: ['A', 'B'].map((name) => ({ id: unknownId, ...janeDoe, name })) }))
  const students = Array.from({ length: 1_000 }, () => bytes('Zoë'))
  const json = listToJson(listed(students))
  t.ok(Buffer.isBuffer(json))
  t.equal(String(json), JSON.stringify({ students: students.map(() => ({ id: unknownId, ...janeDoe, name: 'Zoë' })) }))
})

t.test('a student and a list of them are written from their bytes, and no other builder is asked', async (t) => {
  const fromBytes = createSerializerCompiler(() => () => { throw new Error('not from bytes') })
  t.equal(fromBytes({ schema: Student })(stored()), JSON.stringify({ id: unknownId, ...janeDoe }))
  t.equal(fromBytes({ schema: StudentCollection })(listed([bytes()])), JSON.stringify({ students: [{ id: unknownId, ...janeDoe }] }))
})

t.test('a student that somebody has changed is written as it is now, and so is a list', async (t) => {
  const changes: [string, (student: Student) => void][] = [
    ['changed', (student) => { student.name = 'Other' }],
    ['cleared', (student) => { delete student.email }]
  ]
  for (const [title, change] of changes) {
    const expected = { id: unknownId, ...janeDoe }
    change(expected)
    const student = stored()
    change(student)
    t.equal(studentToJson(student), JSON.stringify(expected), title)
    const list = listed([bytes()])
    for (const student of list.students) change(student)
    t.equal(listToJson(list), JSON.stringify({ students: [expected] }), title)
  }
  const replaced = listed([bytes()])
  replaced.students = []
  t.equal(listToJson(replaced), '{"students":[]}')
})

t.test('a student and a list are plain objects to whoever looks at them or copies them', async (t) => {
  const plain = { id: unknownId, ...janeDoe }
  const hidden = Buffer.from(serialize({ _id: unknownId, ...janeDoe, hashed_password: 'hidden', email: 5 }))
  const { email, ...rest } = plain
  for (const [value, expected] of [
    [stored(), plain], [toRawStudent(hidden), rest], [listed([bytes(), hidden]), { students: [plain, rest] }]
  ] as [object, object][]) {
    t.equal(JSON.stringify(value), JSON.stringify(expected))
    t.strictSame({ ...value }, expected)
    t.strictSame(structuredClone(value), expected)
    t.strictSame(Object.assign({}, value), expected)
    t.strictSame(Reflect.ownKeys(value), Object.keys(expected))
    t.equal(Object.getPrototypeOf(value), Object.prototype)
    t.notMatch(inspect(value, { showHidden: true, getters: true, depth: 9 }), /hidden|Buffer|bson/)
  }
})

t.test('those who share a list share its JSON, and nothing is kept for another list', async (t) => {
  const students = Array.from({ length: 1_000 }, () => bytes())
  const json = listToJson(listed(students))
  t.equal(listToJson(listed(students)), json)
  t.not(listToJson(listed([...students])), json)
  studentToJson(stored('another'))
  t.equal(String(json), String(listToJson(listed([...students]))), 'its bytes are its own')
})

t.test('a text far larger than most leaves the next ones as they are', async (t) => {
  const name = 'é'.repeat(600_000)
  t.equal(String(studentToJson(stored(name))), JSON.stringify({ id: unknownId, ...janeDoe, name }))
  t.equal(studentToJson(stored()), JSON.stringify({ id: unknownId, ...janeDoe }))
})

t.test('plain objects are serialized as ever, alone and in a list', async (t) => {
  const student = { id: unknownId, ...janeDoe, other: 1 }
  t.equal(studentToJson(student), stringify(student))
  t.equal(listToJson({ students: [student] }), `{"students":[${stringify(student)}]}`)
  t.equal(listToJson({ students: [stored(), student] }), `{"students":[${stringify(student)},${stringify(student)}]}`)
})

t.test('where a schema is not compiled a raw student is serialized as the student that it is', async (t) => {
  const toJson = compile({ schema: { ...Student, properties: { ...Student.properties, gpa: { type: 'number', maximum: 4 } } } })
  t.equal(toJson(stored()), stringify({ id: unknownId, ...janeDoe }))
  const longer = compile({ schema: { type: 'object', properties: { students: { type: 'array', items: Student }, next: { type: 'string' } } } })
  t.equal(longer({ students: [stored()], next: 'x' }), `{"students":[${stringify({ id: unknownId, ...janeDoe })}],"next":"x"}`)
})

t.test('what stands beside a list is written after it, for each caller its own', async (t) => {
  const next = { type: 'string' }
  const total = { type: 'object', properties: { value: { type: 'integer' } } }
  const properties = { students: { type: 'array', items: Student }, next, total }
  const refused = () => { throw new Error('not from bytes') }
  const builder = createSerializerCompiler((schema) => JSON.stringify(schema).includes('"students"') ? refused : fastJsonStringify(schema))
  const toJson = builder({ schema: { type: 'object', properties } })
  const documents = [bytes()]
  const text = JSON.stringify({ id: unknownId, ...janeDoe })
  t.equal(toJson(listed(documents, { next: '/x?ü' })), `{"students":[${text}],"next":"/x?ü"}`)
  t.equal(toJson(listed(documents)), `{"students":[${text}]}`)
  t.equal(toJson(listed(documents, { total: { value: 7 } })), `{"students":[${text}],"total":{"value":7}}`)
})

/** The student as the driver's own decoding shows it. */
function decoded (bson: Buffer) {
  const { _id, name, email, course, gpa }: Document = decode(bson)
  const text = (value: unknown) => typeof value === 'string' ? value : undefined
  const isNumber = typeof gpa === 'number' || ['Long', 'Decimal128'].includes(gpa?._bsontype)
  return { id: String(_id), name: text(name), email: text(email), course: text(course), gpa: isNumber && Number.isFinite(Number(gpa)) ? Number(gpa) : undefined }
}

/** The JSON, or why there is none. */
function attempt (serializeIt: () => string): string | Error {
  try {
    return serializeIt()
  } catch (error) {
    return error as Error // nothing here throws anything else
  }
}

/** Both are the same JSON, or both are errors. The driver alone looks at the options of an expression, which is never shown. */
function agree (json: string | Error, expected: string | Error): boolean {
  if (expected instanceof Error) return json instanceof Error || /regular expression option/.test(expected.message)
  return json === expected
}

t.test(`${DOCUMENTS} generated documents, and as many corrupt ones, give what decoding them gives`, async (t) => {
  const random = new RandomBson(SEED)
  const counts = { whole: 0, corrupt: 0, refused: 0 }
  for (let n = 0; n < DOCUMENTS; n++) {
    const document = random.document()
    for (const bson of [document, random.corrupt(document)]) {
      const json = attempt(() => studentToJson(RawDocument.behind({}, { bson })))
      const expected = attempt(() => stringify(decoded(bson)))
      if (!agree(json, expected)) return t.equal(String(json), String(expected), bson.toString('hex'))
      counts[json instanceof Error ? 'refused' : bson === document ? 'whole' : 'corrupt']++
    }
  }
  t.comment(`seed ${SEED}: ${JSON.stringify(counts)}`)
  t.equal(counts.whole, DOCUMENTS)
  t.ok(counts.corrupt > DOCUMENTS / 20 && counts.refused > DOCUMENTS / 20, 'changed bytes do harm, and at times none')
})
