import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, type RawRequestDefaultExpression } from 'fastify'
import type { Bindings, ChildLoggerOptions } from 'fastify/types/logger.js'
import pretty from 'pino-pretty'

/**
 * How the server logs: pino, pretty on a terminal, JSON lines otherwise.
 * Neither bodies nor query strings nor an error's own fields are logged: they may hold what users sent.
 */
export function loggerOptions (level: string, isTerminal: boolean, destination: { write (line: string): void } = process.stdout) {
  return {
    level,
    serializers: {
      req: ({ method, url, ip }: FastifyRequest) => ({ method, path: url.split('?')[0], ip }),
      err: serializeError
    },
    // in this thread and in order, so that the last lines before an exit are not lost
    stream: isTerminal ? pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }) : destination
  }
}

/** What a client or a proxy may call a request: it stands in logs and in answers. */
const REQUEST_ID = /^[\w.:@/+=-]{1,128}$/

/**
 * Ids of requests: what `X-Request-Id` says, if that is well-formed, or one of our own. Those are unlike the ones of every other process; a UUID
 * for each would take a tenth of a read's time.
 */
export function requestIds (): (message: Pick<IncomingMessage, 'headers'>) => string {
  const id = randomUUID()
  let count = 0
  return ({ headers }) => {
    const given = headers['x-request-id']
    return given !== undefined && REQUEST_ID.test(String(given)) ? String(given) : `${id}-${++count}`
  }
}

/** `traceparent`, W3C Trace Context section 3.2: version, trace id, parent id and flags; a later version may have more. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
const FIRST_VERSION_LENGTH = 55

/** The id of the trace that a request is a part of. */
export function traceIdOf ({ headers: { traceparent } }: Pick<IncomingMessage, 'headers'>): string | undefined {
  if (typeof traceparent !== 'string') return undefined
  if (traceparent.startsWith('00') && traceparent.length !== FIRST_VERSION_LENGTH) return undefined
  return TRACEPARENT.exec(traceparent)?.[1]
}

/** The logger of a request. With no options at all, even empty ones, pino is a tenth of a read's time faster. */
export function requestLogger (logger: FastifyBaseLogger, bindings: Bindings, options: ChildLoggerOptions, message: RawRequestDefaultExpression): FastifyBaseLogger {
  const traceId = traceIdOf(message as IncomingMessage) // HTTP/2's has the same headers
  return logger.child(traceId === undefined ? bindings : { ...bindings, trace_id: traceId }, Object.keys(options).length > 0 ? options : undefined)
}

/** One line for a request, once it is answered; that it came is a line at debug. Two would take a third of a read's time. */
export class RequestLog extends LogController {
  #onAnswered: (request: FastifyRequest, reply: FastifyReply) => void

  /** Calls `onAnswered` for each request that was answered. */
  constructor (onAnswered: (request: FastifyRequest, reply: FastifyReply) => void) {
    super()
    this.#onAnswered = onAnswered
  }

  override incomingRequest (request: FastifyRequest): void {
    request.log.debug({ req: request }, 'incoming request')
  }

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (isAborted(reply)) return // its connection tells of it
    this.#onAnswered(request, reply)
    const fields = { req: request, res: reply, responseTime: reply.elapsedTime }
    if (error) reply.log.error({ ...fields, err: error }, 'request errored')
    else reply.log.info(fields, 'request completed')
  }
}

/** Whether the client left, or was left, before the whole answer; HTTP/2 tells of that as of one that is complete. */
function isAborted ({ raw }: FastifyReply): boolean {
  const { stream } = raw as { stream?: ServerHttp2Stream }
  return stream !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR
}

/** One line for a request whose client left before the answer; it has no status. */
export function logAbort (request: FastifyRequest): void {
  request.log.info({ req: request }, 'request aborted by the client')
}

/** pino's own shape of a logged error. */
interface LoggedError {
  type: string
  message: string
  stack: string
  [field: string]: unknown
}

function serializeError (error: Error): LoggedError {
  const message = messageOf(error)
  return {
    type: error.name,
    message,
    stack: String(error.stack).replace(error.message, () => message), // by a function, since `$'` in a text stands for more
    ...('code' in error && { code: error.code }),
    ...(error.cause instanceof Error && { cause: serializeError(error.cause) })
  }
}

/** MongoDB's messages repeat values of the document at fault; its code and the name of that do not. Of a damaged document the message has the id alone. */
function messageOf (error: Error): string {
  if ('codeName' in error && error.codeName === 'DataCorruptionDetected') return error.message
  if ('codeName' in error) return String(error.codeName)
  return /^Mongo(Server|BulkWrite|WriteConcern)Error$/.test(error.name) && 'code' in error ? `code ${error.code}` : error.message
}
