import type { FastifyInstance } from 'fastify'
import { type Config, databaseOptionsOf } from '../config.js'
import { LoginLimits } from '../lib/access/login-limits.js'
import { RefreshTokens } from '../lib/access/refresh-tokens.js'
import mongodb from '../plugins/mongodb.js'
import { loginCollections } from '../plugins/tokens.js'

/** What is kept of the logins of users. */
export interface Logins {
  /** Ends all logins of a user. */
  revokeAll (username: string): Promise<void>
  /** Ends a lock after failed logins. */
  unlock (username: string): Promise<void>
}

/** Opens them in the database of the students, also where the profiles are in Couchbase. */
export async function openLogins (app: FastifyInstance, config: Config): Promise<Logins> {
  if (!app.hasDecorator('mongo')) await app.register(mongodb, await databaseOptionsOf(config))
  const { families, counters } = loginCollections(app, config.MONGODB_DATABASE)
  // without keys: nothing is signed here
  const tokens = new RefreshTokens(families, app.storeGuard, [])
  const limits = new LoginLimits(counters, app.storeGuard)
  return { revokeAll: async (username) => tokens.revokeAll(username), unlock: async (username) => limits.unlock(username) }
}
