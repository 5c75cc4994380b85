import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { missingScope } from '../../lib/access/caller.js'
import { DuplicateKeyError, RecordNotFoundError } from '../../lib/http/errors.js'
import { toStoredUser, toUserChanges } from '../../lib/users/user-fields.js'
import { getUser, scopesOf, type UserStore } from '../../lib/users/user-store.js'
import { callerOf, insufficientScope } from '../../plugins/access-control.js'
import { locationOf, rootPaths, routeOptions } from '../route.js'
import { createUser, showMe, showUser, updateUser } from './schema.js'

export interface UserRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
  /** Whether there is access control: without it users are only read, so that nobody plants one for when it comes. */
  isGuarded: boolean
  /** The scopes that there are. */
  scopes: readonly string[]
}

const userRoutes: FastifyPluginAsyncTypebox<UserRoutesOptions> = async (app, { operationIdPrefix, isGuarded, scopes: known }) => {
  const { users } = app
  const options = routeOptions(operationIdPrefix)

  app.get('/:username', options('showUser', showUser), async ({ params: { username } }) => show(users, username))
  if (!isGuarded) return

  app.get('/me', options('showMe', showMe), async (request) => show(users, callerOf(request).username))

  for (const { prefixTrailingSlash, hide } of rootPaths(app)) {
    app.post('/', { prefixTrailingSlash, ...options('createUser', createUser(known), hide) }, async (request, reply) => {
      mayGrant(request, reply, request.body.scopes ?? [])
      const user = await toStoredUser(request.body)
      if (!await users.create(user)) throw new DuplicateKeyError('username')
      reply.code(201).header('location', locationOf(request, user.username))
      return show(users, user.username)
    })
  }

  app.put('/:username', options('updateUser', updateUser(known)), async (request, reply) => {
    const { params: { username }, body } = request
    mayGrant(request, reply, body.scopes ?? [])
    await mayChange(request, reply, username)
    // anyone who sets the password of a user can act as that user: one who was granted more meanwhile is not changed
    const lacks = known.filter((scope) => !callerOf(request).scopes.includes(scope))
    if (!await users.update(username, await toUserChanges(body), { lacks })) {
      await mayChange(request, reply, username)
      throw insufficientScope(reply, lacks.join(' '))
    }
    return show(users, username)
  })

  /** Refuses where there is no such user, and where the user holds a scope that the caller does not. */
  async function mayChange (request: FastifyRequest, reply: FastifyReply, username: string): Promise<void> {
    const user = await users.get(username)
    if (!user) throw new RecordNotFoundError('User', username)
    mayGrant(request, reply, scopesOf(user, known))
  }
}

async function show (users: UserStore, username: string) {
  const user = await getUser(users, username)
  if (!user) throw new RecordNotFoundError('User', username)
  return user
}

/** Nobody grants a scope that they do not hold. */
function mayGrant (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]): void {
  const missing = missingScope(callerOf(request), scopes)
  if (missing) throw insufficientScope(reply, missing)
}

export default userRoutes
