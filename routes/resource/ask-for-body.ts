import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

/**
 * Asks for a body that a client announces with `Expect: 100-continue` (RFC 9110 section 10.1.1). The server has asked for one that every route
 * would take; this one takes more.
 * @param bodyLimit the most bytes that every route takes, and `most` those of this one
 */
export function askForBody (bodyLimit: number, most = Infinity) {
  return ({ headers }: FastifyRequest, { raw }: FastifyReply, done: HookHandlerDoneFunction): void => {
    const length = Number(headers['content-length'])
    if (headers.expect !== undefined && length > bodyLimit && length <= most) raw.writeContinue()
    done()
  }
}
