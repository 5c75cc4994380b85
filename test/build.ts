import { randomUUID } from 'node:crypto'
import { METHODS } from 'node:http'
import Fastify, { type FastifyServerOptions } from 'fastify'
import studentCourseApi, { type AppOptions } from '../app.js'
import { janeDoe } from './samples.js'
import { client } from './store.js'

// Node 20.19 does not have it, but no parser stands between inject and the app
if (!METHODS.includes('QUERY')) METHODS.push('QUERY')

interface Test {
  teardown (close: () => unknown): void
}

/** The API in a bare Fastify app, on a database of its own that goes with the test; `students` is its collection. */
export async function build (t: Test, options: AppOptions = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  const database = client.db(`test_${randomUUID()}`)
  t.teardown(async () => {
    await app.close()
    await database.dropDatabase()
  })
  await app.register(studentCourseApi, { client, database: database.databaseName, ...options })

  const inject = (method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'QUERY', path: string, payload?: unknown) =>
    app.inject({
      method,
      url: path,
      ...(payload !== undefined && {
        headers: { 'content-type': 'application/json' },
        payload: typeof payload === 'string' ? payload : JSON.stringify(payload)
      })
    })
  /** Creates Jane Doe, changed as given, and answers the new student. */
  const create = async (changes = {}) => (await inject('POST', '/students/', { ...janeDoe, ...changes })).json()

  return { app, inject, create, database, students: database.collection('students') }
}
