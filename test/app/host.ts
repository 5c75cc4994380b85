import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { ObjectId } from 'mongodb'
import type { Test } from 'tap'
import { janeDoe } from '../samples.js'
import { client } from '../store.js'

export const prefix = '/college'

/** A larger app with routes and ways of its own. */
export async function buildHost (t: Test, prepare?: (host: FastifyInstance) => Promise<unknown>) {
  const host = Fastify()
  t.teardown(() => host.close())
  await prepare?.(host)
  return host
}

/** A database name of the test's own, dropped with it. */
export function newDatabase (t: Test) {
  const database = `test_${randomUUID()}`
  t.teardown(() => client.db(database).dropDatabase())
  return database
}

export async function create (host: FastifyInstance, path = `${prefix}/students/`): Promise<string> {
  const answer = await host.inject({ method: 'POST', url: path, payload: janeDoe })
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return answer.json().id
}

export const isStored = async (id: string, database: string) =>
  await client.db(database).collection('students').findOne({ _id: new ObjectId(id) }) !== null
