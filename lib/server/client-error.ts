import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { constants, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { problem, PROBLEM_TYPE } from '../../schemas/problem.js'

interface ClientError extends Error {
  code?: string
}

/** What Node's HTTP parser refuses before there is a request to answer: 408, 431, or else 400. */
const STATUSES: Record<string, [status: number, detail: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.']
}

/** Answers a broken request with problem details on its bare socket, and closes that. */
export function answerClientError (error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = STATUSES[error.code ?? ''] ?? [400, 'This is not a well-formed HTTP request.']
  endWith(socket, status, detail)
}

/** Answers a request whose body takes too long, as Node answers one whose headers do. */
export function answerLate (message: IncomingMessage | Http2ServerRequest): void {
  if (!('stream' in message)) return answerClientError(Object.assign(new Error('the body took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), message.socket)
  const [status, detail] = STATUSES.ERR_HTTP_REQUEST_TIMEOUT as [number, string]
  endStream(message.stream, status, detail)
}

/** Answers CONNECT, which asks a proxy for a tunnel (RFC 9110 section 9.3.6): Node would close the connection without a word. */
export function answerConnect (_request: IncomingMessage | Http2ServerRequest, answer: Duplex | Http2ServerResponse): void {
  const detail = 'This server opens no tunnels.'
  if ('writeHead' in answer) endStream(answer.stream, 501, detail)
  else endWith(answer, 501, detail)
}

/** Ends a request of HTTP/2, with an answer where it has none, and reads no more of its body (RFC 9113 section 8.1). */
function endStream (stream: ServerHttp2Stream, status: number, detail: string): void {
  if (stream.headersSent) return stream.close(constants.NGHTTP2_NO_ERROR)
  stream.respond({ ':status': status, 'content-type': `${PROBLEM_TYPE}; charset=utf-8`, 'x-content-type-options': 'nosniff' })
  stream.end(JSON.stringify(problem(status, detail, '')), () => stream.close(constants.NGHTTP2_NO_ERROR))
}

/**
 * Asks for a body that a client announces with `Expect: 100-continue`, unless it is too large by what it says of itself (RFC 9110
 * section 10.1.1): then the answer comes at once.
 */
export function answerContinue (bodyLimit: number) {
  return function (this: Server, request: IncomingMessage, response: ServerResponse): void {
    if (!(Number(request.headers['content-length']) > bodyLimit)) response.writeContinue()
    this.emit('request', request, response)
  }
}

function endWith (socket: Duplex, status: number, detail: string): void {
  const body = JSON.stringify(problem(status, detail, ''))
  socket.end([
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}

/** Answers a request with an Expect other than 100-continue (RFC 9110 section 10.1.1). */
export function answerExpectation (request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(problem(417, 'The only expectation that can be met is 100-continue.', String(request.url)))
  response.writeHead(417, {
    'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...request.httpVersionMajor === 1 && { connection: 'close' } // a body may follow that nobody reads
  }).end(body)
}
