import fastifyMongodb from '@fastify/mongodb'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ObjectId, type MongoClient } from 'mongodb'
import { connect } from '../lib/connect.js'
import { SetupError } from '../lib/errors.js'
import { StoreGuard } from '../lib/store-guard.js'

/** Where the students live. Give one of the first three, or none inside a host that has `@fastify/mongodb`. */
export interface MongodbOptions {
  /** A MongoDB URL, handed to the driver unchanged; the connection is closed with the app. */
  url?: string | undefined
  /** A client of yours; it stays open when the app closes. */
  client?: MongoClient | undefined
  /** The folder of an embedded store, which is started here and closed with the app. */
  embedded?: string | undefined
  /** The database, default `college`; a database in the URL's path is not used. */
  database?: string | undefined
  /** How long one operation may take, in milliseconds, default 1500; then the answer is 503. */
  timeoutMs?: number | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    storeGuard: StoreGuard
  }
}

async function mongodb (app: FastifyInstance, options: MongodbOptions) {
  const { database = 'college', timeoutMs = 1_500 } = options
  const client = await resolveClient(app, options)
  const guard = new StoreGuard(client, timeoutMs)
  app.decorate('storeGuard', guard)
  app.addHook('onClose', async () => guard.close())

  // @fastify/mongodb refuses a second connection below a host that has one: shadow the host's in this scope
  if (!app.hasDecorator('mongo')) await app.register(fastifyMongodb, { client, database })
  else if (app.mongo.client !== client) {
    const mongo = { client, db: client.db(database), ObjectId }
    app.decorate('mongo', mongo as typeof app.mongo) // the declared type also asks for an index of named connections
  }
}

async function resolveClient (app: FastifyInstance, { url, client, embedded }: MongodbOptions): Promise<MongoClient> {
  if ([url, client, embedded].filter((source) => source !== undefined).length > 1) {
    throw new SetupError('pass only one of url, client and embedded')
  }
  if (client) return client
  if (url !== undefined) return connectOwn(app, url)
  if (embedded !== undefined) return connectOwn(app, await startEmbedded(app, embedded))
  if (app.hasDecorator('mongo') && app.mongo.client) return app.mongo.client
  throw new SetupError('no database: pass url, client or embedded, or register @fastify/mongodb before')
}

async function startEmbedded (app: FastifyInstance, path: string): Promise<string> {
  // loaded only here: who brings a database needs no storage engine
  const { start } = await import('../embedded/index.js')
  const store = await start({ path })
  // hooks run last-in first-out: added before the client's, this one closes the store after it
  app.addHook('onClose', async () => store.close())
  return store.url
}

async function connectOwn (app: FastifyInstance, url: string): Promise<MongoClient> {
  const client = await connect(url)
  app.addHook('onClose', async () => client.close())
  return client
}

export default fp(mongodb, { name: 'student-course-api-mongodb' })
