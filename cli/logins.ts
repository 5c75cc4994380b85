import type { FastifyInstance } from 'fastify'
import { type Config, databaseOptionsOf } from '../config.js'
import { LoginLimits } from '../lib/access/login-limits.js'
import { RefreshTokens } from '../lib/access/refresh-tokens.js'
import { TokenEndings } from '../lib/access/token-endings.js'
import mongodb from '../plugins/mongodb.js'
import { loginCollections } from '../plugins/tokens.js'

/** What is kept of the logins of users. */
export interface Logins {
  /** Ends all logins of a user, with their access tokens. */
  revokeAll (username: string): Promise<void>
  /** Ends the access tokens of a user: the next ones say what the user may do now. */
  endTokens (username: string): Promise<void>
  /** Ends a lock after failed logins. */
  unlock (username: string): Promise<void>
}

/** Opens them in the database of the students, also where the profiles are in Couchbase. */
export async function openLogins (app: FastifyInstance, config: Config): Promise<Logins> {
  if (!app.hasDecorator('mongo')) await app.register(mongodb, await databaseOptionsOf(config))
  const { families, endings: collection, counters } = loginCollections(app, config.MONGODB_DATABASE)
  // without keys: nothing is signed here
  const tokens = new RefreshTokens(families, app.storeGuard, [])
  const limits = new LoginLimits(counters, app.storeGuard)
  const endings = new TokenEndings(collection, app.storeGuard, { lifeS: config.ACCESS_TOKEN_TTL })
  const endTokens = async (username: string) => endings.end(username)
  return {
    revokeAll: async (username) => {
      await tokens.revokeAll(username)
      await endTokens(username)
    },
    endTokens,
    unlock: async (username) => limits.unlock(username)
  }
}
