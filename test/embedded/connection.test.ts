import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { deserialize, Double, Int32, Long, serialize } from 'bson'
import t from 'tap'
import { Cursors } from '../../embedded/cursors.js'
import { serve } from '../../embedded/server.js'
import { directoryFor, frame, int32, message, serverFor, WireClient } from './support.js'

const limits = {
  maxBsonObjectSize: new Int32(16_777_216),
  maxMessageSizeBytes: new Int32(48_000_000),
  maxWriteBatchSize: new Int32(100_000),
  logicalSessionTimeoutMinutes: new Int32(30),
  minWireVersion: new Int32(0),
  maxWireVersion: new Int32(25),
  readOnly: false,
  connectionId: Long,
  localTime: Date,
  helloOk: true,
  ok: new Double(1)
}

function query (command: object): Buffer {
  return frame(2004, int32(0), Buffer.from('admin.$cmd\0'), int32(0), int32(-1), serialize(command))
}

t.test('the handshake says what drivers need and takes what it does not know', async t => {
  const { client } = await serverFor(t)
  const hello = await client.send({ hello: 1, client: { driver: { name: 'x' } }, topologyVersion: {}, anything: 1 })
  t.match(hello, { isWritablePrimary: true, ...limits })
  t.notOk('topologyVersion' in hello || 'setName' in hello)
  t.match(await client.send({ ismaster: 1 }), { ismaster: true, ...limits })
  const legacy = await client.exchange(query({ ismaster: 1, helloOk: true }))
  t.equal(legacy.readInt32LE(12), 1, 'OP_REPLY')
  t.match(deserialize(legacy.subarray(36)), { ismaster: true, helloOk: true, ok: 1 })
  const refused = await client.exchange(query({ ping: 1 }))
  t.match(deserialize(refused.subarray(36)), { ok: 0, code: 352, codeName: 'UnsupportedOpQueryCommand' })
})

t.test('fields that any command may carry are taken', async t => {
  const { client } = await serverFor(t)
  const generic = { lsid: { id: 1 }, apiVersion: '1', apiStrict: true, apiDeprecationErrors: true, comment: 'x' }
  t.match(await client.send({ drop: 'none', ...generic, writeConcern: { w: 'majority', j: true } }), { ok: new Double(1) })
})

t.test('messages are answered in order, also when they come at once and in pieces', async t => {
  const { client } = await serverFor(t)
  const messages = Array.from({ length: 20 }, (_, _id) => [
    message({ insert: 'students', documents: [{ _id }] }),
    message({ count: 'students' })
  ]).flat()
  const replies = messages.slice(1).map(() => client.exchange(Buffer.alloc(0)))
  const stream = Buffer.concat(messages)
  client.socket.write(stream.subarray(0, 1001))
  setTimeout(() => client.socket.write(stream.subarray(1001)), 20)
  const counts = (await Promise.all(replies)).map(reply => deserialize(reply.subarray(21)).n)
  t.same(counts.filter((_count, index) => index % 2 === 1), Array.from({ length: 19 }, (_, index) => index + 1))
})

t.test('a write that wants no answer gets none, and is done before what follows it', async t => {
  const { client } = await serverFor(t)
  client.socket.write(message({ insert: 'students', documents: [{ _id: 1 }], writeConcern: { w: 0 } }, { flags: 2 }))
  client.socket.write(message({ foo: 1 }, { flags: 2 }))
  t.match(await client.send({ count: 'students' }), { n: new Int32(1) })
})

t.test('a malformed message ends its connection and no other', async t => {
  const { client, socketPath } = await serverFor(t)
  const malformed = [
    Buffer.concat([int32(-1), Buffer.alloc(12)]), Buffer.concat([int32(48_000_001), Buffer.alloc(12)]), frame(2012, Buffer.alloc(9)), frame(2013, int32(0)),
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  ]
  for (const bytes of malformed) {
    const hostile = await WireClient.open(socketPath)
    hostile.socket.write(bytes)
    await hostile.closed()
    t.match(await client.send({ ping: 1 }), { ok: new Double(1) })
  }
})

t.test('a body that is no BSON is refused, the connection stays', async t => {
  const { client } = await serverFor(t)
  const body = Buffer.from(serialize({ ping: true, $db: 'admin' }))
  body[body.indexOf('ping') + 5] = 7
  t.match(await client.send(body), { code: new Int32(22), codeName: 'InvalidBSON' })
  t.match(await client.send(Buffer.from([5, 0, 0, 0, 0])), { code: new Int32(40414) }, 'no command at all')
  t.match(await client.send({ ping: 1 }), { ok: new Double(1) })
})

t.test('a fault of the store itself is an InternalError, not an end', async t => {
  const { client, server } = await serverFor(t)
  t.intercept(server.storage.documents, 'get', { value: () => { throw new Error('broken') } })
  for (const command of [{ find: 'students', filter: { _id: 1 } }, { insert: 'students', documents: [{ _id: 1 }] }]) {
    t.match(await client.send(command), { code: new Int32(1), codeName: 'InternalError', errmsg: /broken/ })
  }
})

t.test('a client that does not read its replies is not read from, and holds up nobody', async t => {
  const { client, socketPath } = await serverFor(t)
  await client.send({ insert: 'students', documents: [{ _id: 1, text: 'x'.repeat(1_000_000) }] })
  const slow = connect(socketPath)
  t.teardown(() => slow.destroy())
  slow.pause()
  for (let sent = 0; sent < 50; sent++) slow.write(message({ find: 'students' }))
  await new Promise(resolve => setTimeout(resolve, 100))
  t.match(await client.send({ ping: 1 }), { ok: new Double(1) })
  let received = 0
  for await (const chunk of slow) {
    received += chunk.length
    if (received > 50_000_000) break
  }
  t.pass('it gets all of them once it reads')
})

t.test('while replies wait to be read, the messages behind them wait too', async t => {
  const { client, server, socketPath } = await serverFor(t)
  await client.send({ insert: 'students', documents: [{ _id: 1, text: 'x'.repeat(5_000_000) }] })
  const finds: object[] = []
  const { getRange } = server.storage.documents
  t.intercept(server.storage.documents, 'getRange', { value: (range: object) => { finds.push(range); return getRange.call(server.storage.documents, range) } })
  const slow = connect(socketPath)
  t.teardown(() => slow.destroy())
  slow.pause()
  for (let sent = 0; sent < 20; sent++) slow.write(message({ find: 'students' }))
  while (finds.length === 0) await client.send({ ping: 1 })
  for (let turns = 0; turns < 200; turns++) await client.send({ ping: 1 })
  t.equal(finds.length, 1, 'the kernel takes less than one reply')
})

t.test('the 257th connection is turned away', async t => {
  const { socketPath, client } = await serverFor(t)
  const others = await Promise.all(Array.from({ length: 255 }, () => WireClient.open(socketPath)))
  await Promise.all(others.map(other => other.send({ ping: 1 })))
  const last = await WireClient.open(socketPath)
  await last.closed()
  for (const other of others) other.socket.destroy()
  t.match(await client.send({ ping: 1 }), { ok: new Double(1) })
})

t.test('with a token, only who brings it in the handshake is let in', async t => {
  const { client, socketPath } = await serverFor(t, { token: 'secret' })
  const hello = (name?: unknown): object => ({ hello: 1, client: { application: { name } } })
  t.match(await client.send(hello('secret')), { ok: new Double(1) })
  t.match(await client.send({ ping: 1 }), { ok: new Double(1) }, 'from then on anything goes')
  for (const first of [hello('Secret'), hello(''), hello(1), { hello: 1 }, { hello: 1, client: { application: 'secret' } }, { ping: 1 }]) {
    const stranger = await WireClient.open(socketPath)
    stranger.socket.write(message(first))
    await stranger.closed()
    t.pass(JSON.stringify(first))
  }
})

t.test('the socket is for its owner alone and goes with the server', async t => {
  const directory = await directoryFor(t)
  const socketPath = `${directory}/test.sock`
  const server = await serve({ directory, socketPath })
  t.equal((await stat(socketPath)).mode & 0o777, 0o600)
  t.equal((await stat(`${directory}/store.mdb`)).mode & 0o777, 0o600)
  await server.close()
  await t.rejects(stat(socketPath), { code: 'ENOENT' })
})

t.test('close answers what is in work and ends who does not read', async t => {
  const directory = await directoryFor(t)
  const server = await serve({ directory, closeTimeoutMs: 50 })
  const idle = await WireClient.open(server.port)
  const busy = await WireClient.open(server.port)
  const stuck = await WireClient.open(server.port)
  await busy.send({ insert: 'students', documents: [{ _id: 1, text: 'x'.repeat(15_000_000) }] })
  stuck.socket.pause()
  stuck.socket.write(message({ find: 'students' }))
  await new Promise(resolve => setTimeout(resolve, 50))
  const { write } = server.storage
  const closed = new Promise<void>(resolve => {
    t.intercept(server.storage, 'write', {
      value: (work: () => unknown) => {
        resolve(server.close())
        return write.call(server.storage, work)
      }
    })
  })
  const answer = busy.send({ insert: 'students', documents: [{ _id: 2 }] })
  await closed
  t.match(await answer, { n: new Int32(1) })
  await Promise.all([idle.closed(), busy.closed()])
  stuck.socket.destroy()
})

t.test('an idle cursor ends after its time, a used one does not', async t => {
  let now = 0
  const cursors = new Cursors({ timeoutMs: 1000, now: () => now })
  const cursor = { namespace: 'college.students', session: undefined, heldBytes: 5, batches: Object.create(null) }
  const [idle, used] = [cursors.add(cursor), cursors.add(cursor)]
  now = 900
  cursors.use(used, 'college.students')
  now = 1100
  cursors.expire()
  t.throws(() => cursors.use(idle, 'college.students'), { message: `cursor id ${idle} not found` })
  t.equal(cursors.use(used, 'college.students'), cursor)
  cursors.close()
  t.equal(cursors.size, 0)
})
