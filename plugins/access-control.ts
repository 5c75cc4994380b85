import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AuthOptions } from '../lib/access/auth-options.js'
import type { TokenHolder } from '../lib/access/access-tokens.js'
import { audit } from '../lib/access/audit.js'
import { CALLER, callerOf, missingScope, type AccessRule, type Caller } from '../lib/access/caller.js'
import { ExpiredTokenError, InsufficientScopeError, InvalidTokenError, MissingTokenError } from '../lib/http/errors.js'
import { securityOf, securityScheme, withScheme } from '../lib/access/security-scheme.js'
import { isDisabled, scopesOf } from '../lib/users/user-store.js'
import { problemAnswers } from '../schemas/responses.js'
import { EXAMPLE_ID, type Resource } from '../schemas/resource.js'
import { johnDoe, scopesFor } from '../schemas/user.js'

const CHALLENGE = 'Bearer realm="Student Course API"'

type Authenticate = (request: FastifyRequest, reply: FastifyReply, rule: AccessRule) => Caller | undefined | Promise<Caller | undefined>

/** Who sends a request to a route that has an access rule. */
export function knownCallerOf (request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER)
}

/** The name of whoever sends a request, where there is access control. */
export function usernameOf (request: FastifyRequest): string | undefined {
  return callerOf(request)?.username
}

/** The error to throw where the caller's token lacks a scope; the header names it as well (RFC 6750 section 3). */
export function insufficientScope (reply: FastifyReply, scope: string): Error {
  audit(reply.request, 'scope.missing', { by: usernameOf(reply.request), scope })
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`)
  return new InsufficientScopeError(scope)
}

interface AccessControlOptions {
  auth: AuthOptions
  resources: readonly Resource[]
}

/** Guards every route of this scope that has an access rule, before anything else of a request is looked at. */
async function access (app: FastifyInstance, { auth, resources }: AccessControlOptions) {
  const authenticate = auth.authenticate?.bind(auth) ?? ownTokens(app, scopesFor(resources))
  const swaggerTransform = withScheme(securityScheme(auth, app.prefix, resources))
  app.decorateRequest(CALLER, null)

  app.addHook('onRoute', (route) => {
    const rule = route.config?.access
    if (!rule) return
    const security = securityOf(rule)
    const response = { ...route.schema?.response as object, ...problemAnswers(exampleOf(route.url), exampleOfScope(rule), 401, 403) } // an object, as every route here has
    route.schema = { ...route.schema, security, response }
    route.config = { swaggerTransform, ...route.config }
    route.onRequest = [guard(rule, authenticate), route.onRequest ?? []].flat()
  })
}

/** A path that a route answers, for the examples of the documentation. */
function exampleOf (url: string): string {
  return url.replace(':id', EXAMPLE_ID).replace(':username', johnDoe.username)
}

function exampleOfScope ({ scope = 'users:read' }: AccessRule) {
  return { 403: { detail: new InsufficientScopeError(scope).message } }
}

function ownTokens (app: FastifyInstance, known: readonly string[]): Authenticate {
  return async (request, _reply, { isCurrent = false }) => {
    const token = bearerToken(request)
    if (token === undefined) return undefined
    const holder = app.accessTokens.verify(token)
    if (isCurrent) return asOfNow(app, holder, known)
    if (await app.tokenEndings.isEnded(holder)) throw new InvalidTokenError()
    return holder
  }
}

/** What is left of what a token allows, now that its user may have changed. */
async function asOfNow (app: FastifyInstance, holder: TokenHolder, known: readonly string[]): Promise<Caller> {
  const [user, isEnded] = await Promise.all([app.users.get(holder.username), app.tokenEndings.isEndedNow(holder)])
  if (!user || isDisabled(user) || isEnded) throw new InvalidTokenError()
  return { ...holder, scopes: scopesOf(user, known).filter((scope) => holder.scopes.includes(scope)) }
}

function guard (rule: AccessRule, authenticate: Authenticate) {
  const scopes = rule.scope ? [rule.scope] : []
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const caller = await identify(rule, authenticate, request, reply)
    if (reply.sent) return reply
    if (!caller) throw unauthorized(new MissingTokenError(), request, reply)
    request.setDecorator(CALLER, caller)
    if (rule.owner && (request.params as Record<string, string>)[rule.owner] === caller.username) return // as the router gives them
    const missing = missingScope(caller, scopes)
    if (missing) throw insufficientScope(reply, missing)
  }
}

async function identify (rule: AccessRule, authenticate: Authenticate, request: FastifyRequest, reply: FastifyReply) {
  try {
    const caller = await authenticate(request, reply, rule)
    if (!caller || isCaller(caller)) return caller
  } catch (error) {
    throw unauthorized(error as FastifyError, request, reply) // or any other: then it has no status
  }
  // a host in JavaScript has no compiler to tell it; a text would have parts that look like scopes
  throw new TypeError('authenticate has to answer { username, scopes }, a text and a list of texts')
}

function isCaller ({ username, scopes }: Caller): boolean {
  return typeof username === 'string' && Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string')
}

/** The error, with the challenge that has to go with a 401 (RFC 9110 section 15.5.2): it has a code only where a token came. */
function unauthorized (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyError {
  const error = isBadToken(thrown) ? new InvalidTokenError() : thrown
  if (error.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
    const description = error instanceof InvalidTokenError || error instanceof ExpiredTokenError ? `, error_description="${error.message}"` : ''
    const challenge = bearerToken(request) === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"${description}`
    reply.header('www-authenticate', challenge)
  }
  return error
}

/** What fast-jwt finds wrong with a token; `@fastify/jwt` gives some of it, such as another algorithm, without a status. */
function isBadToken ({ code, statusCode }: FastifyError): boolean {
  return statusCode === undefined && String(code).startsWith('FAST_JWT_')
}

/** The token of the header Authorization (RFC 6750 section 2.1), which is the only place where one is looked for. */
function bearerToken ({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]
}

export default fp(access, { name: 'student-course-api-access' })
