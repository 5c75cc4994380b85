import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { certificate } from '../certificate.js'
import { loggerOptions, RequestLog } from '../../lib/server/logger.js'
import { compressLists } from '../../server/compression.js'
import { countStreams } from '../../server/sizes.js'

const logging = () => {
  const lines: { req: { method: string, path: string }, res: { size?: number } }[] = []
  const options = { logger: { ...loggerOptions({ level: 'info', isTerminal: false }), stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } }, logController: new RequestLog(() => {}) }
  return { options, sizes: () => lines.splice(0).filter(({ req }) => req).map(({ req, res }) => [req.method, req.path, res.size]) }
}

function addRoutes (app: FastifyInstance): void {
  countStreams(app)
  app.get('/export', { config: { isLarge: true } }, async () => Readable.from(['é', Buffer.from('bc')], { objectMode: false }))
  app.post('/import', { config: { isStreamed: true } }, async () => Readable.from(['{}\n', '{}\n']))
  app.get('/list', { config: { isLarge: true } }, async () => 'x'.repeat(5_000))
  app.get('/known', { config: { isLarge: true } }, async (_request, reply) => reply.header('content-length', 3).send(Readable.from(['abc'])))
  app.get('/other', async () => Readable.from(['x']))
}

t.test('the line of a request has the bytes that were sent, also of a stream', async (t) => {
  const { options, sizes } = logging()
  const app = Fastify(options)
  addRoutes(app)
  for (const path of ['/export', '/list', '/known', '/other']) await app.inject(path)
  await app.inject({ method: 'POST', url: '/import' })
  await app.inject({ method: 'HEAD', url: '/list' })
  t.strictSame(sizes(), [
    ['GET', '/export', 4], ['GET', '/list', 5_000], ['GET', '/known', 3], ['GET', '/other', undefined], ['POST', '/import', 6], ['HEAD', '/list', 0]
  ])
})

t.test('of what is compressed, the compressed bytes count', async (t) => {
  const { options, sizes } = logging()
  const app = Fastify(options)
  compressLists(app)
  addRoutes(app)
  const lengths: number[] = []
  for (const url of ['/export', '/list']) lengths.push((await app.inject({ url, headers: { 'accept-encoding': 'gzip' } })).rawPayload.length)
  t.strictSame(sizes(), [['GET', '/export', lengths[0]], ['GET', '/list', lengths[1]]])
})

t.test('with HTTP/2 it is the same', async (t) => {
  const { options, sizes } = logging()
  const { cert, key } = await certificate()
  const app = Fastify({ ...options, http2: true, https: { cert, key } } as object) // whose logger is typed for HTTP/1.1
  t.teardown(async () => app.close())
  addRoutes(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(`https://127.0.0.1:${(app.server.address() as AddressInfo).port}`, { ca: cert })
  t.teardown(() => session.destroy())
  t.equal(await text(session.request({ ':path': '/export' })), 'ébc')
  t.strictSame(sizes(), [['GET', '/export', 4]])
})
