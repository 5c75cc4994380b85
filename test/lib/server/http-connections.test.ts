import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { connect, createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HttpConnections } from '../../../lib/server/http-connections.js'
import { certificate } from '../../certificate.js'

/** A connection as far as it is looked at. */
class FakeSocket extends EventEmitter {
  bytesRead = 0
  bytesWritten = 0
  writableLength = 0
  destroyed = false

  destroy () {
    this.destroyed = true
    this.emit('close')
  }
}

function build (t: Test, unreadBytes = 1_000) {
  const clock = { now: 0 }
  const aborted: string[] = []
  const server = new EventEmitter() as Server // no more of it is asked for
  const connections = new HttpConnections<string>(server, { onAbort: (request) => aborted.push(request), unreadBytes, now: () => clock.now })
  t.teardown(() => server.emit('close'))
  const open = () => {
    const socket = new FakeSocket()
    server.emit('connection', socket)
    return { socket, message: { socket } as unknown as IncomingMessage }
  }
  return { clock, aborted, server, connections, open }
}

t.test('a connection is idle a moment after it was made, or after its last answer, with nothing on the way', async (t) => {
  const { clock, server, connections, open } = build(t)
  const [fresh, busy, answered, begun] = [open(), open(), open(), open()]
  connections.begin(busy.message, 'a')
  connections.begin(answered.message, 'b')
  begun.socket.bytesRead = 20
  clock.now = 99
  answered.socket.bytesRead = 80
  connections.end(answered.message, 'b')
  server.closeIdleConnections()
  t.strictSame([fresh, busy, answered, begun].map(({ socket }) => socket.destroyed), [false, false, false, false])
  clock.now = 100
  server.closeIdleConnections()
  t.strictSame([fresh, busy, answered, begun].map(({ socket }) => socket.destroyed), [true, false, false, false])
  clock.now = 199
  connections.end(busy.message, 'a')
  connections.closeIdle()
  t.strictSame([busy, answered, begun].map(({ socket }) => socket.destroyed), [false, true, false])
  connections.end(fresh.message, 'c')
  connections.begin(fresh.message, 'c')
})

t.test('requests are held until they are let go', async (t) => {
  const { connections } = build(t)
  const gone: string[] = []
  connections.admit(() => gone.push('a'))
  connections.hold()
  connections.hold()
  connections.admit(() => gone.push('b'))
  t.strictSame(gone, ['a'])
  connections.letGo()
  connections.letGo()
  connections.admit(() => gone.push('c'))
  t.strictSame(gone, ['a', 'b', 'c'])
})

t.test('it is quiet once no connection was made for a time, or when the limit has passed', async (t) => {
  const { clock, connections, open } = build(t)
  await connections.quiet(5, 100)
  open()
  let isQuiet = false
  const quiet = connections.quiet(5, 100).then(() => { isQuiet = true })
  await sleep(30)
  t.notOk(isQuiet, 'by the clock no time has passed')
  clock.now = 5
  await quiet
  open()
  const limited = connections.quiet(50, 0)
  await limited
  t.ok(isQuiet)
})

t.test('a request whose client leaves before the answer is told, one that was answered is not', async (t) => {
  const { aborted, connections, open } = build(t)
  const { socket, message } = open()
  for (const request of ['a', 'b']) connections.begin(message, request)
  connections.end(message, 'a')
  socket.destroy()
  t.strictSame(aborted, ['b'])
})

t.test('where clients leave too much unread, the slowest are ended, until the rest is within the limit', async (t) => {
  const { connections, open } = build(t)
  const clients = [open(), open(), open(), open()]
  const read = (paces: number[]) => {
    for (const [index, { socket }] of clients.entries()) {
      socket.bytesWritten += 400 + (paces[index] ?? 0)
      socket.writableLength = 400
    }
  }
  read([])
  connections.endSlowest()
  t.equal(clients.filter(({ socket }) => socket.destroyed).length, 2, 'down to the limit, where nothing is known of anybody')
  const others = [open(), open()]
  const living = [...clients.filter(({ socket }) => !socket.destroyed), ...others]
  for (const { socket } of living) Object.assign(socket, { bytesWritten: 5_000, writableLength: 200 })
  connections.endSlowest()
  t.ok(living.every(({ socket }) => !socket.destroyed), 'within the limit nobody is ended')
  const [a, b, c, d] = living.map(({ socket }) => socket)
  for (const [socket, taken] of [[a, 300], [b, 0], [c, 500], [d, 10]] as const) {
    if (socket) Object.assign(socket, { bytesWritten: socket.bytesWritten + taken + 200, writableLength: 400 })
  }
  connections.endSlowest()
  t.strictSame([a, b, c, d].map((socket) => socket?.destroyed), [false, true, false, true])
})

t.test('with HTTP/2, what clients leave unread counts for all requests of their connection', async (t) => {
  const { cert, key } = await certificate()
  const server = createSecureServer({ cert, key }, (message, response) => {
    connections.begin(message, message.url)
    response.end(Buffer.alloc(100_000))
  })
  const connections = new HttpConnections<string>(server, { onAbort: () => {}, unreadBytes: 1_000_000 })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const ask = (requests: number) => {
    const session = connect(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { ca: cert })
    t.teardown(() => session.destroy())
    session.on('error', () => {})
    return { session, streams: Array.from({ length: requests }, () => session.request().on('error', () => {})) }
  }
  await once(ask(20).session, 'close')
  const { session, streams } = ask(5)
  await Promise.all(streams.map(async (stream) => once(stream, 'response')))
  connections.endSlowest()
  await sleep(100)
  t.notOk(session.closed, 'what is within the limit stays')
})

t.test('a request whose body is late is told of once, unless it has arrived or its client has left', async (t) => {
  const { clock, connections } = build(t)
  const message = (more: object = {}) => ({ complete: false, socket: { destroyed: false }, ...more }) as IncomingMessage
  const [slow, whole, left, later] = [message(), message(), message(), message()]
  connections.limit(message({ complete: true }))
  for (const one of [slow, whole, left]) connections.limit(one)
  clock.now = 90
  connections.limit(later)
  clock.now = 100
  t.strictSame(connections.late(100), [], 'not before its time is over')
  whole.complete = true
  Object.assign(left.socket, { destroyed: true })
  t.strictSame(connections.late(100), [])
  clock.now = 101
  t.strictSame(connections.late(100), [slow])
  t.strictSame(connections.late(100), [])
  clock.now = 200
  t.strictSame(connections.late(100), [later])
})
