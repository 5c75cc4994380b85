import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { audit } from '../../lib/access/audit.js'
import { missingScope } from '../../lib/access/caller.js'
import { changePassword } from '../../lib/access/login.js'
import { InvalidBodyError } from '../../lib/http/body-error.js'
import { DuplicateKeyError, RecordNotFoundError } from '../../lib/http/errors.js'
import type { ListQuery } from '../../lib/query/list-query.js'
import { toStoredUser, toUserChanges } from '../../lib/users/user-fields.js'
import { getUser, scopesOf, shownUser, type UserCondition } from '../../lib/users/user-store.js'
import { knownCallerOf, insufficientScope } from '../../plugins/access-control.js'
import { LIST_LIMIT } from '../../schemas/resource.js'
import type { StoredUser, UpdateUser, User } from '../../schemas/user.js'
import { attemptLogin } from '../login-attempt.js'
import { besidesOf } from '../page.js'
import { locationOf, rootPaths, routeOptions } from '../route.js'
import * as schema from './schema.js'

export interface UserRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
  /** Whether there is access control: without it users are only read, so that nobody plants one for when it comes. */
  isGuarded: boolean
  /** Whether users log in here, by their passwords. */
  hasLogins: boolean
  /** The scopes that there are. */
  scopes: readonly string[]
}

const userRoutes: FastifyPluginAsyncTypebox<UserRoutesOptions> = async (app, { operationIdPrefix, isGuarded, hasLogins, scopes: known }) => {
  const { users } = app
  const options = routeOptions(operationIdPrefix)

  app.get('/:username', options('showUser', schema.showUser), async ({ params: { username } }) => show(username))
  if (!isGuarded) return

  app.get('/me', options('showMe', schema.showMe), async (request) => show(knownCallerOf(request).username))

  for (const { prefixTrailingSlash, hide } of rootPaths(app)) {
    app.get('/', { prefixTrailingSlash, ...options('listUsers', schema.listUsers(users.page !== undefined), hide) }, async (request, reply) => {
      const query = request.query as ListQuery // as plugins/query-strings.ts parsed it
      const page = await users.page?.(query)
      const items = page?.items ?? (await users.list()).sort(byName).slice(0, LIST_LIMIT)
      const shown = items.map((user) => pick(shownUser(user.username, user, known), query.fields))
      return { users: shown, ...page && besidesOf(page, request.url, reply) }
    })

    app.post('/', { prefixTrailingSlash, ...options('createUser', schema.createUser(known), hide) }, async (request, reply) => {
      mayGrant(request, reply, request.body.scopes ?? [])
      const user = await toStoredUser(request.body)
      if (!await users.create(user)) throw new DuplicateKeyError('username')
      audit(request, 'user.created', { username: user.username, by: knownCallerOf(request).username, scopes: request.body.scopes ?? [] })
      reply.code(201).header('location', locationOf(request, user.username))
      return show(user.username)
    })
  }

  app.put('/:username', options('updateUser', schema.updateUser(known)), async (request, reply) => {
    const { params: { username }, body } = request
    mayGrant(request, reply, body.scopes ?? [])
    const isThere = await change(request, reply, username, async (condition) => users.update(username, await toUserChanges(body), condition))
    if (!isThere) throw new RecordNotFoundError('User', username)
    auditChanges(request, username, body)
    if (body.password != null || body.disabled === true) await endLogins(username)
    else if (body.scopes != null) await endTokens(username)
    if (body.password != null) await unlock(username)
    return show(username)
  })

  app.delete('/:username', options('deleteUser', schema.deleteUser), async (request, reply) => {
    const { username } = request.params
    const isThere = await change(request, reply, username, async (condition) => users.delete(username, condition))
    if (isThere) audit(request, 'user.deleted', { username, by: knownCallerOf(request).username })
    // also where there is no such user: a second try ends what a failure left of the first
    await Promise.all([endLogins(username), unlock(username)])
    if (!isThere) throw new RecordNotFoundError('User', username)
    reply.code(204)
  })

  if (hasLogins) {
    app.put('/me/password', options('changePassword', schema.changePassword), async (request, reply) => {
      const { username, login = '' } = knownCallerOf(request)
      const { current_password: current, new_password: password } = request.body
      const check = async () => changePassword(users, username, current, password)
      const changes = await attemptLogin({ app, request, reply, username, check, refused: 'password.refused' })
      if (!changes) throw new InvalidBodyError([{ pointer: '/current_password', detail: 'is wrong' }])
      audit(request, 'password.changed', { username, by: username })
      await Promise.all([app.refreshTokens.revokeOthers(username, login, changes), app.tokenEndings.end(username, login)])
      reply.code(204)
    })
  }

  async function show (username: string) {
    const user = await getUser(users, username, isGuarded ? known : undefined)
    if (!user) throw new RecordNotFoundError('User', username)
    return user
  }

  /**
   * Changes or removes a user, but none who holds a scope that the caller does not: whoever sets the password of a user can act as that user. One who
   * is granted more meanwhile is left alone. False where there is no such user.
   */
  async function change (request: FastifyRequest, reply: FastifyReply, username: string, make: (condition: UserCondition) => Promise<boolean>): Promise<boolean> {
    const mayChange = async () => {
      const user = await users.get(username)
      if (user) mayGrant(request, reply, scopesOf(user, known))
      return user !== undefined
    }
    const lacks = known.filter((scope) => !knownCallerOf(request).scopes.includes(scope))
    if (!await mayChange()) return false
    if (await make({ lacks })) return true
    if (!await mayChange()) return false
    throw insufficientScope(reply, lacks.join(' '))
  }

  /** Ends all logins of a user, with their access tokens. */
  async function endLogins (username: string): Promise<void> {
    if (hasLogins) await Promise.all([app.refreshTokens.revokeAll(username), endTokens(username)])
  }

  async function unlock (username: string): Promise<void> {
    if (hasLogins) await app.loginLimits.unlock(username)
  }

  /** The next access tokens say what the user may do now. */
  async function endTokens (username: string): Promise<void> {
    if (hasLogins) await app.tokenEndings.end(username)
  }
}

function byName (one: StoredUser, other: StoredUser): number {
  return one.username < other.username ? -1 : 1
}

/** The name of the user, with these fields of the profile alone. */
function pick (user: User, fields: readonly string[] | undefined): User {
  const { username, ...others } = user
  return fields ? { username, ...Object.fromEntries(Object.entries(others).filter(([name]) => fields.includes(name))) } : user
}

/** A line for the password, one for the scopes, and one for everything else. */
function auditChanges (request: FastifyRequest, username: string, { password, scopes, email, full_name: fullName, disabled }: UpdateUser): void {
  const whose = { username, by: knownCallerOf(request).username }
  if (password != null) audit(request, 'password.changed', whose)
  if (scopes != null) audit(request, 'scopes.changed', { ...whose, scopes })
  if ([email, fullName, disabled].some((value) => value != null)) audit(request, 'user.changed', whose)
}

/** Nobody grants a scope that they do not hold. */
function mayGrant (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]): void {
  const missing = missingScope(knownCallerOf(request), scopes)
  if (missing) throw insufficientScope(reply, missing)
}

export default userRoutes
