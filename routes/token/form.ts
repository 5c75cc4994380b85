import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TokenError } from '../../lib/token-error.js'
import { sendError } from '../../plugins/errors.js'
import type { OAuthError } from '../../schemas/token.js'

/** Bodies of this scope are forms (RFC 6749 appendix B), and no answer of it is stored (section 5.1). */
async function form (app: FastifyInstance) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    toParameters(body))
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
  })
}

/** RFC 6749 section 3.2: a parameter without a value counts as not sent, and none may come twice. */
function toParameters (body: string): Record<string, string> {
  const given = [...new URLSearchParams(body)].filter(([, value]) => value !== '')
  const parameters = new Map(given)
  if (parameters.size < given.length) throw new TokenError('invalid_request', 'A parameter is there twice.')
  return Object.fromEntries(parameters)
}

/** Errors of the client as RFC 6749 section 5.2 wants them; others, and too many logins, as everywhere. */
export function sendTokenError (error: FastifyError | TokenError, request: FastifyRequest, reply: FastifyReply): void {
  const refused = toOAuthError(error)
  if (refused) reply.code(400).type('application/json; charset=utf-8').send(refused)
  else sendError(error as FastifyError, request, reply) // a TokenError is one of the others
}

function toOAuthError (error: FastifyError | TokenError): OAuthError | undefined {
  if (error instanceof TokenError) return { error: error.code, error_description: error.message }
  if (error.validation) return toRequestError(error.validation)
  // what the parsing of a body refuses
  if ([400, 413, 415].includes(Number(error.statusCode))) return { error: 'invalid_request', error_description: error.message }
  return undefined
}

function toRequestError ([fault]: NonNullable<FastifyError['validation']>): OAuthError {
  if (fault?.keyword === 'enum') return { error: 'unsupported_grant_type', error_description: 'There are the grant types password and refresh_token.' }
  const parameter = String(fault?.params.missingProperty)
  return { error: 'invalid_request', error_description: `The parameter ${parameter} is required.` }
}

export default fp(form)
