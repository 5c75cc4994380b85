import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { certificate } from '../certificate.js'
import { unreadOf } from '../../lib/server/unread.js'
import { sendInPieces } from '../../server/pieces.js'

const long = Buffer.alloc(9_999_999, 'long')

async function build (t: Test) {
  const app = Fastify()
  const sockets: Socket[] = []
  app.server.on('connection', (socket) => sockets.push(socket))
  t.teardown(async () => app.close())
  sendInPieces(app)
  app.get('/long', { config: { isLarge: true }, exposeHeadRoute: true }, async () => long)
  app.get('/tagged', { config: { isLarge: true }, onSend: async (_request, reply, payload) => { reply.header('etag', '"x"'); return payload } }, async () => long)
  app.get('/short', { config: { isLarge: true } }, async () => long.subarray(0, 1_000))
  app.get('/text', { config: { isLarge: true } }, async () => long.toString())
  app.get('/other', async () => long)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, sockets, port: (app.server.address() as AddressInfo).port }
}

t.test('an answer in pieces is the answer, with its length', async (t) => {
  const { url, sockets } = await build(t)
  for (const path of ['/long', '/tagged', '/text', '/other']) {
    const answer = await fetch(url + path)
    t.equal(answer.headers.get('content-length'), String(long.length), path)
    t.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), long), 0, path)
    if (path === '/tagged') t.equal(answer.headers.get('etag'), '"x"')
  }
  t.equal(await (await fetch(`${url}/short`)).text(), long.subarray(0, 1_000).toString())
  const head = await fetch(`${url}/long`, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), String(long.length))
  t.ok(sockets.every((socket) => unreadOf(socket) === 0), 'nothing is left')
})

t.test('with HTTP/2 it is the same', async (t) => {
  const { cert, key } = await certificate()
  const app = Fastify({ http2: true, https: { cert, key } })
  t.teardown(async () => app.close())
  sendInPieces(app as never) // of another protocol, which it does not ask for
  app.get('/long', { config: { isLarge: true } }, async () => long)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connectHttp2(`https://127.0.0.1:${(app.server.address() as AddressInfo).port}`, { ca: cert })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/long' })
  t.equal(Buffer.compare(await buffer(stream), long), 0)
})

t.test('what a client does not read counts, until it leaves, and holds nobody else up', async (t) => {
  const { url, sockets, port } = await build(t)
  const clients = await Promise.all(Array.from({ length: 20 }, async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.pause()
    socket.write('GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return socket
  }))
  await sleep(500)
  const unread = sockets.map(unreadOf)
  t.ok(unread.every((bytes) => bytes > 1_000_000 && bytes < long.length), String(unread))
  t.ok(sockets.every(({ writableLength }) => writableLength <= 256 * 1024), 'and is not written before it is read')
  t.equal((await (await fetch(`${url}/long`)).arrayBuffer()).byteLength, long.length)
  for (const client of clients) client.destroy()
  await sleep(100)
  t.equal((await fetch(`${url}/short`)).status, 200)
})
