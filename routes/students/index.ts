import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { StudentNotFoundError } from '../../lib/errors.js'
import { toChanges, toFields } from '../../lib/student-fields.js'
import { ignoresTrailingSlash } from '../../lib/trailing-slash.js'
import { createStudent, deleteStudent, listStudents, showStudent, updateStudent } from './operations.js'

export interface StudentRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
}

const studentRoutes: FastifyPluginAsyncTypebox<StudentRoutesOptions> = async (app, { operationIdPrefix }) => {
  const { students } = app
  const documented = <T extends object>(operationId: string, schema: T) =>
    ({ exposeHeadRoute: true, schema: { ...schema, operationId: operationIdPrefix + operationId } })

  // the same route with and without the slash; OpenAPI shows the one with it
  const twins = [['slash', false], ['no-slash', true]] as const
  for (const [prefixTrailingSlash, hide] of ignoresTrailingSlash(app) ? twins.slice(0, 1) : twins) {
    app.post('/', {
      prefixTrailingSlash,
      ...documented('createStudent', { ...createStudent, hide })
    }, async (request, reply) => {
      const student = await students.create(toFields(request.body))
      // below the path that was asked for, as it came: a prefix may have parameters or letters that a header can't hold
      const [path = ''] = request.url.split(/\/?(?:\?|$)/, 1)
      reply.code(201).header('location', `${path}/${student.id}`)
      return student
    })

    app.get('/', {
      prefixTrailingSlash,
      ...documented('listStudents', { ...listStudents, hide })
    }, async () => ({ students: await students.list() }))
  }

  app.get('/:id', documented('showStudent', showStudent), async ({ params: { id } }) => {
    const student = await students.find(id)
    if (!student) throw new StudentNotFoundError(id)
    return student
  })

  app.put('/:id', documented('updateStudent', updateStudent), async ({ params: { id }, body }) => {
    const student = await students.update(id, toChanges(body))
    if (!student) throw new StudentNotFoundError(id)
    return student
  })

  app.delete('/:id', documented('deleteStudent', deleteStudent), async ({ params: { id } }, reply) => {
    if (!await students.delete(id)) throw new StudentNotFoundError(id)
    reply.code(204)
  })
}

export default studentRoutes
