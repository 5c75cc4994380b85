import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectCouchbase, type CouchbaseOptions } from '../lib/users/couchbase.js'
import { CouchbaseUsers } from '../lib/users/couchbase-users.js'
import type { UserStore } from '../lib/users/user-store.js'

declare module 'fastify' {
  interface FastifyInstance {
    users: UserStore
  }
}

/** User profiles in a Couchbase bucket, in place of the collection `users`: one connection for the life of the app. */
async function couchbase (app: FastifyInstance, options: CouchbaseOptions) {
  const { bucket, timeoutMs, close } = await connectCouchbase(options)
  app.addHook('onClose', async () => close())
  app.decorate('users', new CouchbaseUsers(bucket, timeoutMs))
}

export default fp(couchbase, { name: 'student-course-api-couchbase' })
