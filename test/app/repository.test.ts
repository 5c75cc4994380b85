import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import studentCourseApi, { type StudentRepository, type Student } from '../../app.js'
import { janeDoe, unknownId } from '../samples.js'
import { buildHost, create, prefix } from './host.js'

t.test('a repository of one\'s own takes the place of the database', async (t) => {
  const stored = new Map<string, any>() // a store for a test
  const students: StudentRepository = {
    async create (fields) {
      stored.set(unknownId, { id: unknownId, ...fields })
      return stored.get(unknownId)
    },
    list: async () => ({ students: [...stored.values()] }),
    find: async (id) => stored.get(id),
    update: async (id, changes) => stored.has(id) ? Object.assign(stored.get(id), changes) : undefined,
    delete: async (id) => stored.delete(id)
  }
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, students })
  const path = `${prefix}/students/${unknownId}`

  t.equal((await host.inject({ method: 'PUT', url: path, payload: { gpa: '2.0' } })).statusCode, 404)
  t.equal(await create(host), unknownId)
  t.strictSame((await host.inject({ method: 'PUT', url: path, payload: { gpa: '2.0', name: null } })).json(), { id: unknownId, ...janeDoe, gpa: 2 })
  t.equal((await host.inject(`${prefix}/students`)).json().students.length, 1)
  t.equal((await host.inject({ method: 'DELETE', url: path })).statusCode, 204)
  t.equal((await host.inject(path)).statusCode, 404)
})

t.test('a repository of the host may have ids of its own: a student is found at its Location, any other text is 422', async (t) => {
  const stored = new Map<string, Student>()
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const students: StudentRepository = {
    id: Type.String({ pattern: uuid.source, examples: ['7c9e6679-7425-40de-944b-e07fc1f90ae7'] }),
    create: async (fields) => {
      const student = { id: randomUUID(), ...fields }
      stored.set(student.id, student)
      return student
    },
    list: async () => [...stored.values()],
    find: async (id) => stored.get(id),
    update: async (id, changes) => Object.assign(stored.get(id) ?? {}, changes) as Student, // of one that is there
    delete: async (id) => stored.delete(id)
  }
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, students })
  const created = await host.inject({ method: 'POST', url: `${prefix}/students/`, payload: janeDoe })
  const url = String(created.headers.location)
  t.match(url.split('/').at(-1), uuid)
  t.equal((await host.inject(url)).statusCode, 200)
  t.equal((await host.inject({ method: 'PUT', url, payload: { gpa: 1 } })).json().gpa, 1)
  t.equal((await host.inject(`${prefix}/students/${unknownId}`)).statusCode, 422)
  t.equal((await host.inject({ method: 'DELETE', url })).statusCode, 204)
  t.equal((await host.inject(url)).statusCode, 404)
  const { paths } = (await host.inject(`${prefix}/openapi.json`)).json()
  t.match(paths['/college/students/{id}'].get.parameters.find((parameter: { name: string }) => parameter.name === 'id'), { in: 'path', schema: { pattern: uuid.source } })
})
