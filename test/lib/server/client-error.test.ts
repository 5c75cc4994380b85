import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Socket } from 'node:net'
import t from 'tap'
import { answerClientError, answerExpectation, answerLate } from '../../../lib/server/client-error.js'

/** A socket as far as the handler knows one. */
const socket = () => new PassThrough() as unknown as Socket

const error = (code?: string) => Object.assign(new Error('x'), { code })

t.test('a body that is late is answered like headers that are', async (t) => {
  const answered = socket()
  answerLate({ socket: answered } as IncomingMessage)
  t.match(await text(answered), /^HTTP\/1.1 408 /)
})

t.test('a request that the parser refuses is answered with problem details, and its connection closed', async (t) => {
  for (const [code, status, title] of [
    ['ERR_HTTP_REQUEST_TIMEOUT', 408, 'Request Timeout'],
    ['HPE_HEADER_OVERFLOW', 431, 'Request Header Fields Too Large'],
    ['HPE_INVALID_METHOD', 400, 'Bad Request'],
    [undefined, 400, 'Bad Request']
  ] as const) {
    const answered = socket()
    answerClientError(error(code), answered)
    const [head = '', body = ''] = (await text(answered)).split('\r\n\r\n')
    t.ok(head.startsWith(`HTTP/1.1 ${status} ${title}\r\n`))
    t.match(head, /Content-Type: application\/problem\+json; charset=utf-8\r\n/)
    t.match(head, /X-Content-Type-Options: nosniff\r\nConnection: close$/)
    t.match(head, `Content-Length: ${body.length}`)
    t.match(JSON.parse(body), { type: 'about:blank', title, status })
  }
})

t.test('a connection that is gone is answered no more', async (t) => {
  const [reset, ended] = [socket(), socket()]
  answerClientError(error('ECONNRESET'), reset)
  t.ok(reset.destroyed)
  ended.end()
  answerClientError(error(), ended)
  t.ok(ended.destroyed)
})

t.test('an expectation that can not be met is 417', async (t) => {
  const server = createServer().on('checkExpectation', answerExpectation).listen(0)
  t.teardown(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const sent = request({ port, path: '/a?b', headers: { expect: 'the-impossible' } }).end()
  const [answer] = await once(sent, 'response')
  t.equal(answer.statusCode, 417)
  t.equal(answer.headers['x-content-type-options'], 'nosniff')
  t.match(JSON.parse(await text(answer)), { title: 'Expectation Failed', status: 417, instance: '/a' })
})
