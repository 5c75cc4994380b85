import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { build } from '../build.js'
import { janeDoe, unknownId } from '../samples.js'

/** The status of a request that is sent as it stands. */
async function send (app: FastifyInstance, head: string, body = ''): Promise<number> {
  const address = app.server.address()
  const socket = connect(typeof address === 'object' ? address?.port ?? 0 : 0, '127.0.0.1')
  socket.write(`${head}\r\nhost: localhost\r\nconnection: close\r\n\r\n${body}`)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return Number(String(answer).split(' ')[1])
}

const types = ['application/json', 'application/json; charset=latin1', 'text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded', 'x', ';']
const empty = [['', ''], ['\r\ncontent-length: 0', ''], ['\r\ntransfer-encoding: chunked', '0\r\n\r\n']] as const

t.test('a request that needs no body is served without one, whatever its headers say of it', async (t) => {
  const { app, create } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  for (const type of types) {
    for (const [framing, body] of empty) {
      // a header that is no media type tells nothing about a body that is still to come
      if (!type.includes('/') && body) continue
      const headers = `content-type: ${type}${framing}`
      const { id } = await create()
      t.equal(await send(app, `GET /students/${id} HTTP/1.1\r\n${headers}`, body), 200, `GET ${headers}`)
      t.equal(await send(app, `HEAD /students/${id} HTTP/1.1\r\n${headers}`, body), 200, `HEAD ${headers}`)
      t.equal(await send(app, `OPTIONS /students/${id} HTTP/1.1\r\n${headers}`, body), 204, `OPTIONS ${headers}`)
      t.equal(await send(app, `DELETE /students/${id} HTTP/1.1\r\n${headers}`, body), 204, `DELETE ${headers}`)
      t.equal(await send(app, `DELETE /students/${id} HTTP/1.1\r\n${headers}`, body), 404, `DELETE ${headers}`)
    }
  }
  const { id } = await create()
  t.equal(await send(app, `DELETE /students/${id} HTTP/1.1\r\ntransfer-encoding: chunked`, '0\r\n\r\n'), 204, 'without a type, too')
})

t.test('a body that comes with a DELETE all the same keeps to the rules for bodies', async (t) => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  for (const [type, body, status] of [
    ['application/json', '{}', 404], ['application/json', '{', 400], ['application/json; charset=latin1', '{}', 415], ['text/plain', '{}', 415], ['multipart/form-data', 'x', 415]
  ] as const) {
    const head = `DELETE /students/${unknownId} HTTP/1.1\r\ncontent-type: ${type}`
    t.equal(await send(app, `${head}\r\ncontent-length: ${body.length}`, body), status, type)
    t.equal(await send(app, `${head}\r\ntransfer-encoding: chunked`, `${body.length}\r\n${body}\r\n0\r\n\r\n`), status, `${type}, chunked`)
  }
})

t.test('a request that needs a body is refused without one', async (t) => {
  const { app } = await build(t)
  for (const [method, url] of [['POST', '/students/'], ['PUT', `/students/${unknownId}`]] as const) {
    t.equal((await app.inject({ method, url, headers: { 'content-type': 'application/json' } })).statusCode, 400)
    t.equal((await app.inject({ method, url, headers: { 'content-type': 'application/json', 'content-length': '0' } })).statusCode, 400)
    t.equal((await app.inject({ method, url, headers: { 'content-type': 'text/plain', 'content-length': '0' } })).statusCode, 415)
  }
})

t.test('in a host with parsers of its own a DELETE without a body is served, too, and the host\'s routes are as they were', async (t) => {
  const host = Fastify()
  t.teardown(() => host.close())
  const students = { create: async () => ({ id: unknownId, ...janeDoe }), list: async () => [], find: async () => undefined, update: async () => undefined, delete: async () => true }
  host.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  host.post('/echo', async ({ body }) => body)
  await host.register(studentCourseApi, { prefix: '/college', students })
  for (const type of types) {
    t.equal((await host.inject({ method: 'DELETE', url: `/college/students/${unknownId}`, headers: { 'content-type': type } })).statusCode, 204, type)
  }
  t.equal((await host.inject({ method: 'POST', url: '/echo', headers: { 'content-type': 'text/plain' }, payload: 'x' })).body, 'x')
})
