import { needs } from '../../lib/access/caller.js'
import { ObjectIdHex } from '../../schemas/common.js'
import { answer, noContent, problemAnswers } from '../../schemas/responses.js'
import {
  CreateStudent, LIST_LIMIT, storedJaneDoe, Student, StudentCollection, UpdateStudent
} from '../../schemas/student.js'

const tags = ['students']
const location = { Location: { type: 'string', description: 'The path of the new student.' } }

const collection = '/students/'
const one = `/students/${storedJaneDoe.id}`

const ofBody = { 422: { detail: 'The body is not valid.', errors: [{ pointer: '/gpa', detail: 'must be <= 4' }] } }
const ofPath = { 422: { detail: 'The path is not valid.', errors: [{ pointer: '/id', detail: `must match pattern "${ObjectIdHex.pattern}"` }] } }
const missing = { 404: { detail: `Student ${storedJaneDoe.id} not found` } }

/** Each route: who may use it, and its schema, as validation, serialization and OpenAPI use it. */
export const createStudent = {
  config: needs('students:write'),
  schema: {
    tags,
    summary: 'Create Student',
    description: 'Stores a new student. The server assigns the id; an id in the body is ignored.',
    body: CreateStudent,
    response: {
      201: answer('The student as stored, with its new id.', Student, storedJaneDoe, location),
      ...problemAnswers(collection, ofBody, 400, 409, 413, 415, 422, 500, 503, 507)
    }
  }
}

export const listStudents = {
  config: needs('students:read'),
  schema: {
    tags,
    summary: 'List Students',
    description: `Answers the stored students without pages: at most ${LIST_LIMIT} of them.`,
    response: {
      200: answer('The students.', StudentCollection, { students: [storedJaneDoe] }),
      ...problemAnswers(collection, {}, 500, 503)
    }
  }
}

export const showStudent = {
  config: needs('students:read'),
  schema: {
    tags,
    summary: 'Show Student',
    description: 'Answers the student with this id.',
    response: {
      200: answer('The student.', Student, storedJaneDoe),
      ...problemAnswers(one, { ...missing, ...ofPath }, 404, 422, 500, 503)
    }
  }
}

export const updateStudent = {
  config: needs('students:write'),
  schema: {
    tags,
    summary: 'Update Student',
    description: 'Changes the given fields and leaves the others; null counts as not given. ' +
      'Without any field to change, the answer is the stored student.',
    body: UpdateStudent,
    response: {
      200: answer('The student as it is now.', Student, storedJaneDoe),
      ...problemAnswers(one, { ...missing, ...ofBody }, 400, 404, 409, 413, 415, 422, 500, 503, 507)
    }
  }
}

export const deleteStudent = {
  config: needs('students:write'),
  schema: {
    tags,
    summary: 'Delete Student',
    description: 'Removes the student with this id. Success is 204, without a body.',
    response: {
      204: noContent('The student is gone.'),
      // a body is not wanted here, but one that is sent has to be JSON all the same
      ...problemAnswers(one, { ...missing, ...ofPath }, 400, 404, 413, 415, 422, 500, 503, 507)
    }
  }
}
