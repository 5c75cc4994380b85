import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { Writable } from 'node:stream'
import { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, type RawRequestDefaultExpression } from 'fastify'
import type { Bindings, ChildLoggerOptions } from 'fastify/types/logger.js'
import pretty from 'pino-pretty'
import { sentOf } from './sent-bytes.js'

export interface LoggerOptions {
  level: string
  isTerminal: boolean
  destination?: { write (line: string): void }
  /** The name of whoever sends a request, where that is known. */
  userOf?: (request: FastifyRequest) => string | undefined
}

/**
 * How the server logs: pino, a short line for people on a terminal, JSON lines otherwise.
 * Neither bodies nor query strings nor an error's own fields are logged: they may hold what users sent.
 */
export function loggerOptions ({ level, isTerminal, destination = process.stdout, userOf = () => undefined }: LoggerOptions) {
  return {
    level,
    serializers: {
      req: (request: FastifyRequest) => {
        const { method, url, ip, routeOptions } = request
        return { method, path: url.split('?')[0], ip, route: routeOptions.url, user: userOf(request) }
      },
      res: (reply: Pick<FastifyReply, 'statusCode'>) => ({ statusCode: reply.statusCode, size: sizeOf(reply as FastifyReply) }), // a whole one, as Fastify logs it
      err: serializeError
    },
    // in this thread and in order, so that the last lines before an exit are not lost
    stream: isTerminal ? terminal(destination) : destination
  }
}

/** The bytes of the body as they were sent; undefined where nobody knows. HEAD tells the length of a body that it leaves out. */
function sizeOf (reply: FastifyReply): number | undefined {
  if (reply.request.method === 'HEAD') return 0
  const length = reply.getHeader('content-length') ?? sentOf(reply.raw)
  return length === undefined ? undefined : Number(length)
}

/** What a line of a request says, as pino writes it. */
interface RequestLine {
  req?: { method: string, path: string, user?: string }
  res?: { statusCode: number, size?: number }
  responseTime?: number
}

/** Lines for people, with colors unless the variable `NO_COLOR` is set (no-color.org). */
function terminal (destination: { write (line: string): void }) {
  return pretty({
    sync: true,
    colorize: !process.env.NO_COLOR,
    destination: new Writable({ write: (line, _encoding, done) => { destination.write(String(line)); done() } }),
    ignore: 'pid,hostname,reqId,trace_id,req,res,responseTime',
    translateTime: 'HH:MM:ss',
    messageFormat: (line, messageKey, _level, { colors }) => requestText(line as RequestLine, String(line[messageKey]), colors)
  })
}

function requestText ({ req, res, responseTime = 0 }: RequestLine, message: string, { green, cyan, yellow, red }: Colors): string {
  if (!req) return message
  const what = `${req.method} ${req.path}`
  if (!res) return `${what} ${message}`
  const color = [green, cyan, yellow][Math.floor(res.statusCode / 100) - 2] ?? red
  const size = res.size === undefined ? '' : ` ${sizeText(res.size)}`
  return `${what} ${color(String(res.statusCode))} ${responseTime.toFixed(responseTime < 10 ? 1 : 0)} ms${size}${req.user === undefined ? '' : ` ${req.user}`}`
}

function sizeText (bytes: number): string {
  const [unit, size] = bytes < 1_000 ? ['B', bytes] : bytes < 1_000_000 ? ['kB', bytes / 1_000] : ['MB', bytes / 1_000_000]
  return `${unit === 'B' ? size : size.toFixed(1)} ${unit}`
}

/** Those of a terminal. */
type Colors = Record<'green' | 'cyan' | 'yellow' | 'red', (text: string) => string>

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
