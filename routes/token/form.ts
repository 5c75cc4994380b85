import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TokenError } from '../../lib/access/token-error.js'
import { sendError } from '../../plugins/errors.js'
import { isPlainUtf8 } from '../../plugins/json-bodies.js'
import { RevocationRequest, tokenRequestFor, type OAuthError } from '../../schemas/token.js'

/** More bytes than any form of ours has. */
const FORM_LIMIT = 8_192

const PARAMETERS = new Set([...Object.keys(tokenRequestFor([]).properties), ...Object.keys(RevocationRequest.properties)])

const NO_FORM = 'The body must be application/x-www-form-urlencoded in UTF-8, without a content coding.'

/** Bodies of this scope are forms (RFC 6749 appendix B), and no answer of it is stored (section 5.1). */
async function form (app: FastifyInstance) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_LIMIT }, parseForm)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
  })
}

async function parseForm (request: FastifyRequest, body: string): Promise<Record<string, string>> {
  if (!isPlainUtf8(request)) throw new TokenError('invalid_request', NO_FORM)
  return toParameters(body)
}

/** RFC 6749 section 3.2: a parameter without a value counts as not sent, one that is not known is ignored, and none may come twice. */
function toParameters (body: string): Record<string, string> {
  const given = [...new URLSearchParams(body)].filter(([name, value]) => PARAMETERS.has(name) && value !== '')
  const parameters = Object.fromEntries(given)
  if (Object.keys(parameters).length < given.length) throw new TokenError('invalid_request', 'A parameter occurs twice.')
  return parameters
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
  if (fault?.keyword === 'enum') return { error: 'unsupported_grant_type', error_description: 'The grant types are password and refresh_token.' }
  const parameter = fault?.params.missingProperty // without one, there was no body at all
  return { error: 'invalid_request', error_description: parameter ? `The parameter ${parameter} is required.` : NO_FORM }
}

export default fp(form)
