import { serialize } from 'bson'
import fastJsonStringify from 'fast-json-stringify'
import t from 'tap'
import { decode } from '../../lib/bson.js'
import { createSerializerCompiler } from '../../lib/serializer.js'
import { RawStudent, toStudent } from '../../lib/student-document.js'
import { Student, StudentCollection } from '../../schemas/student.js'
import { RandomBson } from '../random-bson.js'
import { janeDoe, unknownId } from '../samples.js'

/** More of them in the long run, and others: npm run fuzz:serializer. */
const DOCUMENTS = Number(process.env.FUZZ_DOCUMENTS ?? 2_000)
const SEED = Number(process.env.FUZZ_SEED ?? 1)

const compile = createSerializerCompiler()
const studentToJson = compile({ schema: Student })
const listToJson: (value: unknown) => string | Buffer = compile({ schema: StudentCollection })
/** Fastify's own way. */
const stringify = fastJsonStringify(Student)

const raw = (document: object) => new RawStudent(Buffer.from(serialize(document)))
const stored = (name = janeDoe.name) => raw({ _id: unknownId, ...janeDoe, name })

t.test('one student is a string, and so is a short list; a long list is bytes', async (t) => {
  t.strictSame(studentToJson(stored()), JSON.stringify({ id: unknownId, ...janeDoe }))
  t.equal(listToJson({ students: [] }), '{"students":[]}')
  t.equal(listToJson({ students: [stored('A'), stored('B')] }), JSON.stringify({ students: ['A', 'B'].map((name) => ({ id: unknownId, ...janeDoe, name })) }))
  const students = Array.from({ length: 1_000 }, () => stored('Zoë'))
  const json = listToJson({ students })
  t.ok(Buffer.isBuffer(json))
  t.equal(String(json), JSON.stringify({ students: students.map(() => ({ id: unknownId, ...janeDoe, name: 'Zoë' })) }))
})

t.test('those who share a list share its JSON, and nothing is kept for another list', async (t) => {
  const students = Array.from({ length: 1_000 }, () => stored())
  const json = listToJson({ students })
  t.equal(listToJson({ students }), json)
  t.not(listToJson({ students: [...students] }), json)
  studentToJson(stored('another'))
  t.equal(String(json), String(listToJson({ students: [...students] })), 'its bytes are its own')
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
  const toJson = compile({ schema: { ...Student, properties: { ...Student.properties, gpa: { type: 'integer' } } } })
  t.equal(toJson(stored()), stringify({ id: unknownId, ...janeDoe, gpa: 3 }))
  const listed = compile({ schema: { type: 'object', properties: { students: { type: 'array', items: Student }, next: { type: 'string' } } } })
  t.equal(listed({ students: [stored()], next: 'x' }), `{"students":[${stringify({ id: unknownId, ...janeDoe })}],"next":"x"}`)
})

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
      const json = attempt(() => studentToJson(new RawStudent(bson)))
      const expected = attempt(() => stringify(toStudent(decode(bson))))
      if (!agree(json, expected)) return t.equal(String(json), String(expected), bson.toString('hex'))
      counts[json instanceof Error ? 'refused' : bson === document ? 'whole' : 'corrupt']++
    }
  }
  t.comment(`seed ${SEED}: ${JSON.stringify(counts)}`)
  t.equal(counts.whole, DOCUMENTS)
  t.ok(counts.corrupt > DOCUMENTS / 20 && counts.refused > DOCUMENTS / 20, 'changed bytes do harm, and at times none')
})
