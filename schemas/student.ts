import { Type, type Static } from '@sinclair/typebox'
import { email, nullable, ObjectIdHex, text } from './common.js'

/** The most students that one list holds. */
export const LIST_LIMIT = 1000

const janeDoe = {
  name: 'Jane Doe',
  email: 'jdoe@example.com',
  course: 'Experiments, Science, and Fashion in Nanophotonics',
  gpa: 3.0
}

/** The student, once: every other shape derives from these four fields. */
const student = {
  name: text(200, { description: 'The full name.' }),
  email,
  course: text(500, { description: 'The title of the course.' }),
  gpa: Type.Unsafe<number | string>({
    type: ['number', 'string'],
    minimum: 0,
    maximum: 4,
    pattern: '^([0-3](\\.[0-9]{1,20})?|4(\\.0{1,20})?)$',
    description: 'Grade point average from 0.0 to 4.0; a decimal numeral in a string counts as its number.'
  })
}

const ignored = 'An `id` or `_id` and unknown fields are ignored and never stored.'

export const CreateStudent = Type.Object(student, {
  title: 'CreateStudentModel',
  description: `A student to create; all four fields are required. ${ignored}`,
  examples: [janeDoe]
})

export const UpdateStudent = Type.Object({
  name: Type.Optional(nullable(student.name)),
  email: Type.Optional(nullable(student.email)),
  course: Type.Optional(nullable(student.course)),
  gpa: Type.Optional(nullable(student.gpa))
}, {
  title: 'UpdateStudentModel',
  description: `The fields of a student to change; a field that is missing or null stays as it is. ${ignored}`,
  examples: [janeDoe]
})

/** What is shown promises no bounds: other software may have written the document. */
export const Student = Type.Object({
  id: Type.String({ 'x-bson': '_id', description: ObjectIdHex.description }),
  name: Type.Optional(Type.String({ description: student.name.description })),
  email: Type.Optional(Type.String({ description: student.email.description })),
  course: Type.Optional(Type.String({ description: student.course.description })),
  gpa: Type.Optional(Type.Number({ description: 'Grade point average.' }))
}, {
  title: 'StudentModel',
  description: 'A student record. Only `id` is certain: a field that other software stored with another type, or not at all, is left out.'
})

export const StudentCollection = Type.Object({
  students: Type.Array(Student, { maxItems: LIST_LIMIT })
}, {
  title: 'StudentCollection',
  description: `At most ${LIST_LIMIT} students. The list stands in an object, because a bare JSON array at the top was open to JSON hijacking.`
})

/** What the answers show as an example. */
export const storedJaneDoe: Student = { id: '66b3f0a1c2d4e5f601234567', ...janeDoe }

export type CreateStudent = Static<typeof CreateStudent>
export type UpdateStudent = Static<typeof UpdateStudent>
export type Student = Static<typeof Student>
export type StudentCollection = Static<typeof StudentCollection>
