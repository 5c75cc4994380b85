import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { audit } from '../../lib/access/audit.js'
import { login } from '../../lib/access/login.js'
import { loginOf, type TokenFamily } from '../../lib/access/refresh-tokens.js'
import { TokenError } from '../../lib/access/token-error.js'
import { isDisabled, scopesOf } from '../../lib/users/user-store.js'
import type { StoredUser } from '../../schemas/user.js'
import type { Token, TokenRequest } from '../../schemas/token.js'
import { attemptLogin } from '../login-attempt.js'
import form, { sendTokenError } from './form.js'
import { createToken, revokeToken } from './schema.js'

export interface TokenRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
  /** The scopes that there are. */
  scopes: readonly string[]
}

interface Asked {
  app: FastifyInstance
  body: TokenRequest
  request: FastifyRequest
  reply: FastifyReply
  /** The scopes that there are. */
  known: readonly string[]
}

type Grant = (asked: Asked) => Promise<Token>

const grants: Record<TokenRequest['grant_type'], Grant> = { password: byPassword, refresh_token: byRefreshToken }

const tokenRoutes: FastifyPluginAsyncTypebox<TokenRoutesOptions> = async (app, { operationIdPrefix, scopes: known }) => {
  const { accessTokens, refreshTokens } = app
  const documented = <T extends object>(operationId: string, schema: T) =>
    ({ errorHandler: sendTokenError, config: { query: false as const, hasOwnQueue: true, isLogin: true }, schema: { ...schema, operationId: operationIdPrefix + operationId } })
  await app.register(form)

  app.post('/token', documented('createToken', createToken(known)), async (request, reply) =>
    grants[request.body.grant_type]({ app, body: request.body, request, reply, known }))

  app.post('/revoke', documented('revokeToken', revokeToken), async (request, reply) => {
    const { token } = request.body
    if (accessTokens.isOurs(token)) throw new TokenError('unsupported_token_type', 'An access token cannot be revoked; it expires soon.')
    const found = await refreshTokens.find(token)
    if (found) {
      await refreshTokens.revoke(found.family)
      audit(request, 'token.revoked', { username: found.family.username })
    }
    return reply.code(200).send()
  })
}

/** RFC 6749 section 4.3. */
async function byPassword (asked: Asked): Promise<Token> {
  const { username, password } = asked.body
  if (!username || !password) throw new TokenError('invalid_request', 'The parameters username and password are required.')
  const { app, body: { scope }, request, reply, known } = asked
  const user = await attemptLogin({ app, request, reply, username, check: async () => login(app.users, username, password), refused: 'login.refused' })
  if (!user) throw new TokenError('invalid_grant', 'The username or the password is wrong.')
  const scopes = narrow(scopesOf(user, known), known, scope)
  const refreshToken = await app.refreshTokens.issue({ ...user, username }, scopes)
  audit(request, 'login', { username, by: username, scopes })
  return toToken(app, username, scopes, refreshToken)
}

/** RFC 6749 section 6. What can be refused is refused before the old token is used up. */
async function byRefreshToken ({ app, body, request, known }: Asked): Promise<Token> {
  const { refresh_token: token, scope } = body
  if (!token) throw new TokenError('invalid_request', 'The parameter refresh_token is required.')
  const found = await app.refreshTokens.find(token)
  if (!found) throw badRefreshToken()
  const { family, state } = found
  if (state === 'used') return refuseReuse(app, request, family)
  const user = await app.users.get(family.username)
  if (!user || !mayGoOn(user, family)) return refuseFamily(app, family)
  const held = scopesOf(user, known)
  const scopes = narrow(family.scopes.filter((granted) => held.includes(granted)), known, scope)
  const next = await app.refreshTokens.next(found)
  return next === undefined ? refuseReuse(app, request, family) : toToken(app, family.username, scopes, next)
}

/** Whether the user is still let in, and by the same password. */
function mayGoOn (user: StoredUser, family: TokenFamily): boolean {
  return !isDisabled(user) && (user.password_changed_at ?? 0) === family.password_changed_at
}

/** One of two who used the same token has stolen it: which of them is not known, so neither goes on (RFC 9700 section 4.14.2). */
async function refuseReuse (app: FastifyInstance, request: FastifyRequest, family: TokenFamily): Promise<never> {
  audit(request, 'token.reused', { username: family.username })
  return refuseFamily(app, family)
}

async function refuseFamily (app: FastifyInstance, family: TokenFamily): Promise<never> {
  await app.refreshTokens.revoke(family)
  throw badRefreshToken()
}

/**
 * Those of the scopes that were asked for that are held: the answer says which (RFC 6749 section 3.3). None of them, or one that
 * there is not, is an error.
 */
function narrow (held: string[], known: readonly string[], scope?: string): string[] {
  if (scope === undefined) return held
  const wanted = scope.split(' ')
  if (!wanted.every((name) => known.includes(name))) throw new TokenError('invalid_scope', 'A scope that was asked for is not known.')
  const granted = held.filter((name) => wanted.includes(name))
  if (granted.length === 0) throw new TokenError('invalid_scope', 'None of the scopes that were asked for is granted to this user.')
  return granted
}

function toToken ({ accessTokens }: FastifyInstance, username: string, scopes: string[], refreshToken: string): Token {
  return {
    access_token: accessTokens.sign({ username, scopes, login: loginOf(refreshToken) }),
    token_type: 'Bearer',
    expires_in: accessTokens.lifeS,
    refresh_token: refreshToken,
    scope: scopes.join(' ')
  }
}

const badRefreshToken = () => new TokenError('invalid_grant', 'The refresh token is invalid or has expired.')

export default tokenRoutes
