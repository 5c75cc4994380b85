import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { CorruptBsonError } from '../lib/serialization/bson.js'
import { LoginsBusyError, NoConditionsError, NoKeysError, StoreFullError, StoreUnavailableError } from '../lib/http/errors.js'
import { InvalidBodyError } from '../lib/http/body-error.js'
import { InvalidQueryError } from '../lib/query/query-error.js'
import { toFaults } from '../lib/http/validation-faults.js'
import { ACCEPT_PATCH } from '../lib/http/media-types.js'
import { ACCEPT_QUERY, QUERY } from '../lib/http/query-method.js'
import { problem, PROBLEM_TYPE, type Problem } from '../schemas/problem.js'

/** Seconds after which a retry is worth it when the database is out of reach. */
const RETRY_AFTER_S = 2

/** What a repository of a host's cannot do, and what has to wait, is nobody's fault. */
const REFUSALS = [NoConditionsError, NoKeysError, LoginsBusyError]

/** Every error of this scope as problem details (RFC 9457), and no answer whose type a browser may guess. */
async function errors (app: FastifyInstance) {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff')
    done()
  })
  app.setErrorHandler(sendError)
}

/** Answers a request with its error; serves as error handler and for errors that Fastify raises before routing. */
export function sendError (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, detail, errors } = problemOf(thrown, request)
  if (status === 415 && request.method === 'PATCH') reply.header('accept-patch', ACCEPT_PATCH)
  if (status === 415 && request.method === QUERY) reply.header('accept-query', ACCEPT_QUERY)
  if (status === 503) reply.header('retry-after', RETRY_AFTER_S)
  sendProblem(request, reply, status, detail, errors)
}

/** What an error is to the client, for a request or for a part of it; what is wrong here is logged. */
export function problemOf (thrown: Error & Partial<FastifyError>, request: FastifyRequest): Problem {
  // found while it is written as JSON; no database hands out such a document, so it was garbled on its way
  const error = thrown instanceof CorruptBsonError ? new StoreUnavailableError('Try again later.', { cause: thrown }) : thrown
  if (error.validation) {
    const part = error.validationContext === 'params' ? 'path' : error.validationContext
    return problem(422, `The ${part} is not valid.`, request.url, toFaults(error.validation))
  }
  if (error instanceof InvalidQueryError || error instanceof InvalidBodyError) return problem(422, error.message, request.url, error.faults)
  const { statusCode: status = 500, message } = error
  if (status < 500) return problem(status, message, request.url)
  if (REFUSALS.some((refusal) => error instanceof refusal)) request.log.debug(message)
  else if (error instanceof StoreUnavailableError) logOutage(error, request)
  else request.log.error({ err: error }, 'request failed')
  // only the messages of these are written to be shown
  const isShown = [...REFUSALS, StoreUnavailableError, StoreFullError].some((shown) => error instanceof shown)
  return isShown ? problem(status, message, request.url) : problem(500, `Something went wrong here (request ${request.id}).`, request.url)
}

/** Without a stack, since nothing is wrong here; of a database that is known to be lost there has been a line already. */
function logOutage ({ message, cause }: Error, request: FastifyRequest): void {
  if (cause instanceof Error) request.log.warn({ cause: `${cause.name}: ${'code' in cause ? cause.code : cause.message}` }, message)
  else request.log.debug(message)
}

/** For the server's own 404 handler; a host keeps its own. */
export function sendNotFound (request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, 404, 'There is nothing at this path.')
}

/** Answers a request with problem details of this status. */
export function sendProblem (request: FastifyRequest, reply: FastifyReply, status: number, detail: string, faults?: Problem['errors']) {
  const requestId = reply.getHeader('x-request-id')
  reply.code(status)
    .header('x-content-type-options', 'nosniff')
    .type(PROBLEM_TYPE)
    .send({ ...problem(status, detail, request.url, faults), ...requestId !== undefined && { request_id: requestId } })
}

export default fp(errors, { name: 'student-course-api-errors' })
