import type { FastifyInstance } from 'fastify'
import { sendProblem } from '../plugins/errors.js'

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** When a client should ask again, in seconds: a move to another database takes about as long. */
const RETRY_AFTER_S = 60

/** Answers writes 503, so that the records stay as they are while they are copied. */
export function refuseWrites (app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!WRITES.has(request.method) || request.is404 || request.routeOptions.config.isLogin) return done()
    reply.header('retry-after', RETRY_AFTER_S)
    sendProblem(request, reply, 503, 'The server only reads for now. Nothing was changed.')
  })
}
