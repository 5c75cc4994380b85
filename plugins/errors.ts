import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { CorruptBsonError } from '../lib/serialization/bson.js'
import { NoConditionsError, StoreFullError, StoreUnavailableError } from '../lib/http/errors.js'
import { InvalidQueryError } from '../lib/query/query-error.js'
import { toFaults } from '../lib/http/validation-faults.js'
import { ACCEPT_PATCH } from '../lib/http/media-types.js'
import { problem, PROBLEM_TYPE, type Problem } from '../schemas/problem.js'

/** Seconds after which a retry is worth it when the database is out of reach. */
const RETRY_AFTER_S = 2

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
  // found while it is written as JSON; no database hands out such a document, so it was garbled on its way
  const error = thrown instanceof CorruptBsonError ? new StoreUnavailableError('Try again later.', { cause: thrown }) : thrown
  if (error.validation) {
    const part = error.validationContext === 'params' ? 'path' : error.validationContext
    sendProblem(request, reply, 422, `The ${part} is not valid.`, toFaults(error.validation))
    return
  }
  if (error instanceof InvalidQueryError) {
    sendProblem(request, reply, 422, error.message, error.faults)
    return
  }
  const status = error.statusCode ?? 500
  if (status === 415 && request.method === 'PATCH') reply.header('accept-patch', ACCEPT_PATCH)
  if (status < 500) {
    sendProblem(request, reply, status, error.message)
    return
  }
  if (error instanceof NoConditionsError) request.log.debug(error.message)
  else if (error instanceof StoreUnavailableError) logOutage(error, request)
  else request.log.error({ err: error }, 'request failed')
  // only the messages of these are written to be shown
  const isShown = error instanceof StoreUnavailableError || error instanceof StoreFullError || error instanceof NoConditionsError
  if (error instanceof StoreUnavailableError) reply.header('retry-after', RETRY_AFTER_S)
  if (isShown) sendProblem(request, reply, status, error.message)
  else sendProblem(request, reply, 500, `Something went wrong here (request ${request.id}).`)
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
  reply.code(status)
    .header('x-content-type-options', 'nosniff')
    .type(PROBLEM_TYPE)
    .send(problem(status, detail, request.url, faults))
}

export default fp(errors, { name: 'student-course-api-errors' })
