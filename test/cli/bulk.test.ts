import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t from 'tap'
import { overHttp, reasonOf, said, within } from '../../cli/bulk.js'
import { answering } from './run.js'

const request = { method: 'GET', path: '/students/export', query: 'a=é b', headers: {} } as const

t.test('a base URL may have a path, with or without a slash at its end', async (t) => {
  const { url, requests } = await answering(t, (_request, response) => response.end('yes'))
  for (const base of [url, `${url}/`, `${url}/college`, `${url}/college/`]) {
    const { status, body } = await overHttp(new URL(base))(request)
    t.strictSame([status, await text(body)], [200, 'yes'])
  }
  t.strictSame(requests.map((each) => each.url), ['', '', '/college', '/college'].map((prefix) => `${prefix}/students/export?a=%C3%A9%20b`))
})

t.test('a server that takes a body and says nothing counts as away', async (t) => {
  const server = createServer((socket) => socket.resume().on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo // it listens on a port
  const send = overHttp(new URL(`http://127.0.0.1:${port}`), undefined, 100)
  await t.rejects(send({ ...request, method: 'POST', body: Readable.from(['x']) }), { name: 'Error', message: `127.0.0.1:${port} has not said anything for 0.1 s` })
})

t.test('where there is no server that is said, also for TLS', async (t) => {
  await t.rejects(overHttp(new URL('https://127.0.0.1:1'))(request), { name: 'UnreachableError', message: /^127\.0\.0\.1:1 cannot be reached: .*REFUSED/ })
  t.equal(reasonOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
})

t.test('an app of this process streams in both directions, and notices who leaves', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addContentTypeParser('text/plain', (_request, payload, done) => done(null, payload))
  app.post('/echo', async (request, reply) => reply.send(request.body))
  let ended = () => {}
  const isLeft = new Promise<void>((resolve) => { ended = resolve })
  app.get('/endless', async (_request, reply) => reply.send(Readable.from((async function * () {
    try {
      for (;;) yield Buffer.alloc(65_536)
    } finally {
      ended()
    }
  })(), { objectMode: false })))
  app.get('/broken', async (_request, reply) => reply.send(Readable.from((async function * () {
    yield Buffer.from('begun')
    throw new Error('broken')
  })(), { objectMode: false })))
  const send = within(app)

  const input = new Readable({ read () {} })
  const answer = send({ method: 'POST', path: '/echo', query: '', headers: { 'content-type': 'text/plain' }, body: input })
  input.push('one')
  const { body } = await answer
  t.equal(String((await once(body, 'data'))[0]), 'one')
  input.push(null)
  await once(body, 'end')

  const endless = await send({ ...request, path: '/endless' })
  endless.body.destroy()
  await t.resolves(isLeft)

  const broken = await send({ ...request, path: '/broken' })
  await t.rejects(text(broken.body))
})

t.test('the faults of a problem stand below it', async (t) => {
  t.equal(said({ detail: 'No.', errors: [{ pointer: '/a', detail: 'is wrong' }, { parameter: 'b', detail: 'too' }] }), 'No.\n/a is wrong\nb too')
})
