import { Type } from '@sinclair/typebox'
import { email, text } from './common.js'
import { defineResource, type Body, type Shown, type Stored, type UpdateBody } from './resource.js'

const fields = {
  name: text(200, { description: 'The full name.' }),
  email,
  course: text(500, { description: 'The title of the course.' }),
  // one type of two: a union would report one wrong value as several faults
  gpa: Type.Unsafe<number | string>({
    type: ['number', 'string'],
    minimum: 0,
    maximum: 4,
    pattern: '^([0-3](\\.[0-9]{1,20})?|4(\\.0{1,20})?)$',
    description: 'Grade point average from 0.0 to 4.0; a decimal numeral in a string counts as its number.'
  })
}

/** The student, once: shapes, routes, storage and documentation derive from it. */
export const student = defineResource({
  name: 'student',
  description: 'Student course records.',
  fields,
  shown: { gpa: Type.Number({ description: 'Grade point average.' }) },
  example: {
    name: 'Jane Doe',
    email: 'jdoe@example.com',
    course: 'Experiments, Science, and Fashion in Nanophotonics',
    gpa: 3.0
  }
})

export const { create: CreateStudent, update: UpdateStudent, one: Student, list: StudentCollection } = student

export type CreateStudent = Body<typeof fields>
export type UpdateStudent = UpdateBody<typeof fields>
export type Student = Shown<typeof fields>

/** What a repository stores of a student; gpa is a finite number. */
export type StudentFields = Stored<typeof fields>
