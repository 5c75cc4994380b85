import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { IdempotencyKeys, type KeyDocument } from '../lib/idempotency/keys.js'
import { OF_PRIMARY } from '../lib/mongodb/driver-options.js'

declare module 'fastify' {
  interface FastifyInstance {
    idempotencyKeys: IdempotencyKeys
  }
}

export interface IdempotencyOptions {
  database: string
  /** How long one database operation may take. */
  timeoutMs: number
  ttlMs: number
}

/** A request makes some operations one after the other, each within its time; no other one may take it for dead before. */
const OPERATIONS = 4

/** Keys of requests that are sent again, in the collection `idempotency_keys`. */
async function idempotency (app: FastifyInstance, { database, timeoutMs, ttlMs }: IdempotencyOptions) {
  const collection = app.mongo.client.db(database).collection<KeyDocument>('idempotency_keys', OF_PRIMARY)
  const keys = new IdempotencyKeys(collection, app.storeGuard, { ttlMs, leaseMs: OPERATIONS * timeoutMs })
  app.decorate('idempotencyKeys', keys)
  app.addHook('onClose', async () => keys.close())
}

export default fp(idempotency, { name: 'student-course-api-idempotency', dependencies: ['student-course-api-mongodb'] })
