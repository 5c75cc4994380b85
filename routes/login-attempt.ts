import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { audit, type AuditEvent } from '../lib/access/audit.js'
import { networkOf } from '../lib/http/client-network.js'
import { TooManyLoginsError } from '../lib/http/errors.js'
import { isUsername, type UserStore } from '../lib/users/user-store.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its requests wait in a bounded queue of their own, as passwords do to be checked. */
    hasOwnQueue?: boolean
    /** Whether it begins or ends a login, which changes no record. */
    isLogin?: boolean
  }
}

export interface LoginAttemptOptions<T> {
  app: FastifyInstance
  request: FastifyRequest
  reply: FastifyReply
  username: string
  /** Checks the password; undefined where it is wrong. */
  check: () => Promise<T | undefined>
  /** The event of a refusal. */
  refused: AuditEvent
}

/** Checks a password in its turn, and within the limits of failed logins: wherever one is asked for, guesses count together. */
export async function attemptLogin<T> ({ app, request, reply, username, check, refused }: LoginAttemptOptions<T>): Promise<T | undefined> {
  const refuse = async (reason: 'credentials' | 'limit') => audit(request, refused, { username: await knownName(app.users, username), reason })
  return app.loginQueue.run(async () => {
    const attempt = await app.loginLimits.count(username, networkOf(request.ip, String(request.socket.remoteAddress)))
    if (attempt.retryAfterS !== undefined) {
      await refuse('limit')
      reply.header('retry-after', attempt.retryAfterS)
      throw new TooManyLoginsError()
    }
    const found = await check().catch(async (error) => {
      // else a database that is away would lock everybody out for when it is back
      await app.loginLimits.withdraw(attempt).catch(() => {})
      throw error
    })
    if (found === undefined) await refuse('credentials')
    else await app.loginLimits.forgive(attempt)
    return found
  })
}

/** The name of a user, if there is one: whatever else was typed may be a password, which no log may hold. */
async function knownName (users: UserStore, username: string): Promise<string | undefined> {
  const user = isUsername(username) ? await users.get(username).catch(() => undefined) : undefined
  return user && username
}
