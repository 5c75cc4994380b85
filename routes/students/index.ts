import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { StudentNotFoundError } from '../../lib/http/errors.js'
import { toChanges, toFields } from '../../lib/resources/student-fields.js'
import type { StudentRepository } from '../../lib/resources/student-repository.js'
import { ObjectIdHex } from '../../schemas/common.js'
import { locationOf, rootPaths, routeOptions } from '../route.js'
import { createStudent, deleteStudent, listStudents, showStudent, updateStudent } from './schema.js'

export interface StudentRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
}

const studentRoutes: FastifyPluginAsyncTypebox<StudentRoutesOptions> = async (app, { operationIdPrefix }) => {
  const { students } = app
  const options = routeOptions(operationIdPrefix)
  const params = paramsOf(students)

  for (const { prefixTrailingSlash, hide } of rootPaths(app)) {
    app.post('/', { prefixTrailingSlash, ...options('createStudent', createStudent, hide) }, async (request, reply) => {
      const student = await students.create(toFields(request.body))
      reply.code(201).header('location', locationOf(request, student.id))
      return student
    })

    app.get('/', { prefixTrailingSlash, ...options('listStudents', listStudents, hide) }, async () => {
      const listed = await students.list()
      return Array.isArray(listed) ? { students: listed } : listed
    })
  }

  app.get('/:id', options('showStudent', withParams(showStudent, params)), async ({ params: { id } }) => {
    const student = await students.find(id)
    if (!student) throw new StudentNotFoundError(id)
    return student
  })

  app.put('/:id', options('updateStudent', withParams(updateStudent, params)), async ({ params: { id }, body }) => {
    const student = await students.update(id, toChanges(body))
    if (!student) throw new StudentNotFoundError(id)
    return student
  })

  app.delete('/:id', options('deleteStudent', withParams(deleteStudent, params)), async ({ params: { id } }, reply) => {
    if (!await students.delete(id)) throw new StudentNotFoundError(id)
    reply.code(204)
  })
}

function paramsOf ({ id = ObjectIdHex }: StudentRepository) {
  return Type.Object({ id })
}

function withParams<C, S extends object> ({ config, schema }: { config: C, schema: S }, params: ReturnType<typeof paramsOf>) {
  return { config, schema: { ...schema, params } }
}

export default studentRoutes
