import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Collection } from 'mongodb'
import { AccessTokens } from '../lib/access/access-tokens.js'
import type { TokenOptions } from '../lib/access/auth-options.js'
import { OF_PRIMARY } from '../lib/mongodb/driver-options.js'
import { removeExpired } from '../lib/mongodb/expiry.js'
import { LoginQueue } from '../lib/access/login-queue.js'
import { LoginLimits, type LoginCounter } from '../lib/access/login-limits.js'
import { RefreshTokens, type TokenFamily } from '../lib/access/refresh-tokens.js'
import { TokenEndings, type TokenEnding } from '../lib/access/token-endings.js'

declare module 'fastify' {
  interface FastifyInstance {
    accessTokens: AccessTokens
    refreshTokens: RefreshTokens
    tokenEndings: TokenEndings
    loginLimits: LoginLimits
    loginQueue: LoginQueue
  }
}

interface TokensOptions extends TokenOptions {
  database: string
}

/** What logins need: keys, and the collections `refresh_tokens`, `token_endings` and `login_counters`, whose documents expire. */
async function tokens (app: FastifyInstance, options: TokensOptions) {
  const { keys, issuer = 'student-course-api', audience = 'student-course-api', database } = options
  const { storeGuard } = app
  const { families, endings, counters } = loginCollections(app, database)
  for (const collection of [families, endings, counters] as Collection<TokenFamily | TokenEnding | LoginCounter>[]) { // they have that in common
    const stop = await removeExpired(collection, storeGuard)
    if (!stop) continue
    app.log.warn(`the database has no TTL indexes: what expires in ${collection.collectionName} is removed by this process, once a minute`)
    app.addHook('onClose', async () => stop())
  }
  app.decorate('accessTokens', new AccessTokens({ keys, issuer, audience, lifeS: options.accessTokenTtlSeconds }))
  app.decorate('refreshTokens', new RefreshTokens(families, storeGuard, keys, { lifeS: options.refreshTokenTtlSeconds }))
  app.decorate('tokenEndings', new TokenEndings(endings, storeGuard, { lifeS: options.accessTokenTtlSeconds }))
  app.decorate('loginLimits', new LoginLimits(counters, storeGuard))
  app.decorate('loginQueue', new LoginQueue())
}

/** What is kept of logins, also where the profiles are in Couchbase. */
export function loginCollections ({ mongo }: FastifyInstance, database: string) {
  const db = mongo.client.db(database)
  return {
    families: db.collection<TokenFamily>('refresh_tokens', OF_PRIMARY),
    endings: db.collection<TokenEnding>('token_endings', OF_PRIMARY),
    counters: db.collection<LoginCounter>('login_counters', OF_PRIMARY)
  }
}

export default fp(tokens, { name: 'student-course-api-tokens', dependencies: ['student-course-api-mongodb'] })
