import { setTimeout as sleep } from 'node:timers/promises'
import fastifyMongodb from '@fastify/mongodb'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ObjectId, type MongoClient } from 'mongodb'
import { connect, refuseUnacknowledged } from '../lib/mongodb/connect.js'
import type { DatabaseOptions, ResolvedDatabase } from '../lib/mongodb/database-options.js'
import { SetupError } from '../lib/http/errors.js'
import { logStoreChange } from '../lib/mongodb/store-change.js'
import { StoreGuard } from '../lib/mongodb/store-guard.js'

/** How long the driver may take to tell the server that it leaves. */
const CLOSE_LIMIT_MS = 1_000

declare module 'fastify' {
  interface FastifyInstance {
    storeGuard: StoreGuard
  }
}

async function mongodb (app: FastifyInstance, options: ResolvedDatabase) {
  const { database, timeoutMs, onStoreChange = (change) => logStoreChange(app.log, change) } = options
  const client = await resolveClient(app, options, timeoutMs)
  refuseUnacknowledged(client)
  const guard = new StoreGuard(client, timeoutMs, { onChange: onStoreChange })
  app.decorate('storeGuard', guard)
  app.addHook('onClose', async () => guard.close())

  // @fastify/mongodb refuses a second connection below a host that has one: shadow the host's in this scope
  if (!app.hasDecorator('mongo')) await app.register(fastifyMongodb, { client, database })
  else if (app.mongo.client !== client) {
    const mongo = { client, db: client.db(database), ObjectId }
    app.decorate('mongo', mongo as typeof app.mongo) // the declared type also asks for an index of named connections
  }
}

async function resolveClient (app: FastifyInstance, { url, client, embedded, onStoreFailure }: DatabaseOptions, timeoutMs: number): Promise<MongoClient> {
  if ([url, client, embedded].filter((source) => source !== undefined).length > 1) {
    throw new SetupError('pass only one of url, client and embedded')
  }
  if (client) return client
  if (url !== undefined) return connectOwn(app, url, timeoutMs)
  if (embedded !== undefined) return connectOwn(app, await startEmbedded(app, embedded, onStoreFailure), timeoutMs)
  if (app.hasDecorator('mongo') && app.mongo.client) return app.mongo.client
  throw new SetupError('no database: pass url, client or embedded, or register @fastify/mongodb before')
}

async function startEmbedded (app: FastifyInstance, path: string, onFailure?: (error: Error) => void): Promise<string> {
  // loaded only here: who brings a database needs no storage engine
  const { start } = await import('../embedded/index.js')
  const store = await start({ path })
  store.failed.then(onFailure ?? ((err) => app.log.fatal({ err }, 'the embedded store failed: this app has no database any more')))
  // hooks run last-in first-out: added before the client's, this one closes the store after it
  app.addHook('onClose', async () => store.close())
  return store.url
}

async function connectOwn (app: FastifyInstance, url: string, timeoutMs: number): Promise<MongoClient> {
  const client = await connect(url, { timeoutMs })
  // what is in flight is answered by now; a server that does not answer any more must not hold up the end
  app.addHook('onClose', async () => Promise.race([client.close(), sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]))
  return client
}

export default fp(mongodb, { name: 'student-course-api-mongodb' })
