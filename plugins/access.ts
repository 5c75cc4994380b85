import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AuthOptions } from '../lib/auth-options.js'
import { missingScope, type AccessRule, type Caller } from '../lib/caller.js'
import { InsufficientScopeError, InvalidTokenError, MissingTokenError } from '../lib/errors.js'
import { securityOf } from '../lib/security-scheme.js'
import { problemAnswers } from '../schemas/responses.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may send requests to this route, with access control on. */
    access?: AccessRule
  }
}

const CHALLENGE = 'Bearer realm="Student Course API"'

/** Not by name: a host may have decorated its requests with any. */
const CALLER = Symbol('caller')

type Authenticate = (request: FastifyRequest, reply: FastifyReply) => Promise<Caller | undefined>

/** Who sends a request to a route that has an access rule. */
export function callerOf (request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER)
}

/** The error to throw where the caller's token lacks a scope; the header names it as well (RFC 6750 section 3). */
export function insufficientScope (reply: FastifyReply, scope: string): Error {
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`)
  return new InsufficientScopeError(scope)
}

/** Guards every route of this scope that has an access rule, before anything else of a request is looked at. */
async function access (app: FastifyInstance, auth: AuthOptions) {
  const authenticate = 'keys' in auth ? ownTokens(app) : auth.authenticate.bind(auth)
  app.decorateRequest(CALLER, null)

  app.addHook('onRoute', (route) => {
    const rule = route.config?.access
    if (!rule) return
    const security = securityOf(rule)
    const response = { ...route.schema?.response as object, ...problemAnswers(401, 403) } // an object, as every route here has
    route.schema = { ...route.schema, security, response }
    route.onRequest = [guard(rule, authenticate), route.onRequest ?? []].flat()
  })
}

function ownTokens (app: FastifyInstance): Authenticate {
  return async (request) => {
    const token = bearerToken(request)
    return token === undefined ? undefined : app.accessTokens.verify(token)
  }
}

function guard (rule: AccessRule, authenticate: Authenticate) {
  const scopes = rule.scope ? [rule.scope] : []
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const caller = await authenticate(request, reply).catch((error) => { throw unauthorized(error, request, reply) })
    if (reply.sent) return reply
    if (!caller) throw unauthorized(new MissingTokenError(), request, reply)
    request.setDecorator(CALLER, caller)
    if (rule.owner && (request.params as Record<string, string>)[rule.owner] === caller.username) return // as the router gives them
    const missing = missingScope(caller, scopes)
    if (missing) throw insufficientScope(reply, missing)
  }
}

/** The error, with the challenge that has to go with a 401 (RFC 9110 section 15.5.2): it has a code only where a token came. */
function unauthorized (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyError {
  const error = isBadToken(thrown) ? new InvalidTokenError() : thrown
  if (error.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
    const challenge = bearerToken(request) === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`
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
