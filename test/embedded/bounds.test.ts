import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { serialize } from 'bson'
import t from 'tap'
import { Backlog } from '../../embedded/backlog.js'
import { maxDepth, maxElements, validate } from '../../embedded/bson.js'
import { Collection } from '../../embedded/collection.js'
import { Connections } from '../../embedded/connections.js'
import { Cursors } from '../../embedded/cursors.js'
import { everything } from '../../embedded/filter.js'
import { mainPath } from '../../embedded/plan.js'
import { Scan } from '../../embedded/scan.js'
import { Storage } from '../../embedded/storage.js'
import { Sweeper } from '../../embedded/sweeper.js'
import { FrameReader } from '../../embedded/wire.js'
import { directoryFor, int32, message, serverFor, WireClient } from './support.js'

const megabyte = 1024 * 1024

/** A document of so many nulls without a name, two bytes each. */
function nulls (count: number): Buffer {
  const document = Buffer.alloc(5 + 2 * count)
  for (let index = 0; index < count; index++) document[4 + 2 * index] = 10
  document.writeInt32LE(document.length)
  return document
}

t.test('a frame takes memory for what has come of it, not for what it announces', async t => {
  const reader = new FrameReader()
  const announced = Buffer.concat([int32(48_000_000), Buffer.alloc(12)])
  for (const byte of announced) reader.push(Buffer.from([byte]))
  t.equal(reader.next(), undefined)
  t.ok(reader.heldBytes <= 2 * announced.length, `${reader.heldBytes} bytes are held`)
  reader.push(Buffer.alloc(megabyte))
  t.equal(reader.next(), undefined)
  t.ok(reader.heldBytes <= 2 * megabyte, `${reader.heldBytes} bytes are held`)
})

t.test('of a frame that was read nothing is held, whatever came behind it', async t => {
  const reader = new FrameReader()
  const large = message({ ping: 1, text: 'x'.repeat(megabyte) })
  const small = message({ ping: 1 })
  const stream = Buffer.concat([large, small])
  reader.push(stream.subarray(0, 1000))
  reader.push(stream.subarray(1000, -1))
  t.same(reader.next(), large)
  t.equal(reader.heldBytes, small.length - 1)
  reader.push(stream.subarray(-1))
  t.same(reader.next(), small)
  t.equal(reader.heldBytes, 0)
})

t.test('beyond the limit who takes more than a share has to go, and nobody else', async t => {
  const backlog = new Backlog({ limitBytes: 100, shareBytes: 10 })
  t.ok(backlog.change(0, 90), 'one alone may have nearly all')
  t.notOk(backlog.change(0, 11))
  t.ok(backlog.change(11, 10), 'less than before is always well')
  t.ok(backlog.change(0, 10), 'and so is a share')
  t.ok(backlog.change(90, 0))
  t.ok(backlog.change(0, 80), 'what was given back is there for others')
})

t.test('many half frames together are bounded, and a small message is answered beside them', async t => {
  const { client, server, socketPath } = await serverFor(t, { connections: { limitBytes: 6 * megabyte, shareBytes: 100_000 } })
  const half = Buffer.concat([int32(48_000_000), Buffer.alloc(megabyte)])
  const hostile = await Promise.all(Array.from({ length: 10 }, () => WireClient.open(socketPath)))
  for (const { socket } of hostile) socket.write(half)
  await Promise.race(hostile.map(one => one.closed()))
  t.match(await client.send({ ping: 1 }), { ok: { value: 1 } })
  t.match(await client.send({ insert: 'students', documents: [{ _id: 1, text: 'x'.repeat(50_000) }] }), { n: { value: 1 } })
  for (const { socket } of hostile) socket.destroy()
  while (server.connections.size > 1) await client.send({ ping: 1 })
  t.match(await client.send({ insert: 'students', documents: [{ _id: 2, text: 'x'.repeat(3 * megabyte) }] }), { n: { value: 1 } }, 'their memory is given back')
})

t.test('replies that nobody reads are bounded', async t => {
  const { client, server, socketPath } = await serverFor(t, { connections: { limitBytes: 4 * megabyte } })
  for (const _id of [1, 2, 3]) await client.send({ insert: 'students', documents: [{ _id, text: 'x'.repeat(megabyte) }] })
  const deaf = await Promise.all([WireClient.open(socketPath), WireClient.open(socketPath)])
  for (const { socket } of deaf) socket.pause().write(message({ find: 'students' }))
  while (server.connections.size > 2) await client.send({ ping: 1 })
  t.equal(server.connections.size, 2, 'one of the two had to go')
  for (const { socket } of deaf) socket.destroy()
})

t.test('a connection that was not used for its time ends, also one that sends half a message', async t => {
  let now = 0
  const { client, server, socketPath } = await serverFor(t, { connections: { idleTimeoutMs: 1000, now: () => now } })
  const [idle, half] = [await WireClient.open(socketPath), await WireClient.open(socketPath)]
  await idle.send({ ping: 1 })
  half.socket.write(message({ ping: 1 }).subarray(0, 20))
  now = 900
  await client.send({ ping: 1 })
  now = 1100
  server.connections.expire()
  await Promise.all([idle.closed(), half.closed()])
  t.match(await client.send({ ping: 1 }), { ok: { value: 1 } }, 'a used one stays')
})

t.test('a connection is not idle while its message is in work', async t => {
  let now = 0
  const { client, server } = await serverFor(t, { connections: { idleTimeoutMs: 1000, now: () => now } })
  const { write } = server.storage
  t.intercept(server.storage, 'write', {
    value: (work: () => unknown) => {
      now = 2000
      server.connections.expire()
      return write.call(server.storage, work)
    }
  })
  t.match(await client.send({ insert: 'students', documents: [{ _id: 1 }] }), { n: { value: 1 } })
})

t.test('a message in work counts, also when more comes behind it', async t => {
  const { client, server, socketPath } = await serverFor(t, { connections: { limitBytes: 4 * megabyte } })
  const { write } = server.storage
  const [busy, late] = [await WireClient.open(socketPath), await WireClient.open(socketPath)]
  const events = new EventEmitter()
  const working = once(events, 'begun')
  t.intercept(server.storage, 'write', {
    value: async (work: () => unknown) => {
      events.emit('begun')
      await once(events, 'go on')
      return write.call(server.storage, work)
    }
  })
  const answered = busy.send({ insert: 'students', documents: [{ _id: 1, text: 'x'.repeat(3 * megabyte) }] })
  await working
  busy.socket.write(message({ ping: 1 }).subarray(0, 20))
  for (let turns = 0; turns < 20; turns++) await client.send({ ping: 1 })
  const outcome = late.send({ ping: 1, comment: 'x'.repeat(3 * megabyte) }).then(() => 'answered')
  t.equal(await Promise.race([outcome, late.closed().then(() => 'closed')]), 'closed')
  events.emit('go on')
  t.match(await answered, { n: { value: 1 } })
  for (const { socket } of [busy, late]) socket.destroy()
})

t.test('the bounds are there by default', async t => {
  const backlog = new Backlog()
  t.ok(backlog.change(0, 256 * megabyte))
  t.notOk(backlog.change(0, megabyte + 1))
  let now = 0
  const cursors = new Cursors({ now: () => now })
  t.teardown(() => cursors.close())
  const cursor = { namespace: 'college.students', session: 'ab', heldBytes: megabyte, batches: Object.create(null) }
  for (let added = 0; added < 100; added++) cursors.add(cursor)
  t.equal(cursors.size, 63)
  now = 600_001
  cursors.expire()
  t.equal(cursors.size, 0, 'ten minutes')
})

t.test('connections, cursors and expired documents are looked through once a minute', async t => {
  const timers: Array<{ work: () => void, intervalMs: number }> = []
  const intervals = t.intercept(globalThis, 'setInterval', {
    value: (work: () => void, intervalMs: number) => {
      timers.push({ work, intervalMs })
      return { unref: () => undefined }
    }
  })
  let now = 0
  const cursors = new Cursors({ now: () => now })
  const connections = new Connections({ now: () => now })
  const storage = await Storage.open(await directoryFor(t))
  const sweeper = new Sweeper(storage)
  intervals.restore()
  t.same(timers.map(({ intervalMs }) => intervalMs), [60_000, 60_000, 60_000])
  cursors.add({ namespace: 'college.students', session: 'ab', heldBytes: 1, batches: Object.create(null) })
  let ended = 0
  const socket = Object.assign(new EventEmitter(), { setNoDelay () {}, destroy () { ended++ } })
  // no more of a socket is used here
  connections.add(socket as unknown as Socket, { storage, cursors }, undefined)
  now = 1_800_001
  const sweep = t.capture(sweeper, 'sweep', async () => {})
  for (const { work } of timers) work()
  t.equal(cursors.size, 0)
  t.equal(ended, 1)
  t.equal(sweep().length, 1)
  await storage.close()
})

t.test('a sweep ends with the slice it is at when the store closes', async t => {
  const storage = await Storage.open(await directoryFor(t))
  const collection = new Collection(storage, 'college.tokens')
  await collection.write(() => {
    collection.save([{ name: 'expiry', field: 'at', expireAfterSeconds: 0, built: true }])
    for (let n = 0; n < 1200; n++) {
      const key = Buffer.concat([collection.prefix, Buffer.from([16]), Buffer.from(String(n).padStart(6, '0'))])
      collection.put(key, Buffer.from(serialize({ _id: n, at: new Date(0) })))
    }
  })
  const sweeper = new Sweeper(storage)
  const swept = sweeper.sweep()
  await Promise.all([swept, sweeper.close()])
  t.equal(collection.countKeys('documents', mainPath(collection, everything.filter).ranges, 9999), 700)
  await storage.close()
})

t.test('cursors together keep no more than their limit: the one unused for longest ends', async t => {
  const cursors = new Cursors({ limitBytes: 5000 })
  t.teardown(() => cursors.close())
  const cursor = { namespace: 'college.students', session: 'ab', heldBytes: 1000, batches: Object.create(null) }
  const [first, second] = [cursors.add(cursor), cursors.add(cursor)]
  cursors.use(first, 'college.students')
  const third = cursors.add(cursor)
  t.throws(() => cursors.use(second, 'college.students'), { message: /not found/ })
  t.ok(cursors.kill(first) && cursors.kill(third))
  for (let added = 0; added < 2; added++) cursors.add(cursor)
  t.equal(cursors.size, 2, 'what ended is not counted any more')
})

t.test('a message of millions of elements is refused before they are objects', async t => {
  t.doesNotThrow(() => validate(nulls(maxElements), maxDepth))
  t.throws(() => validate(nulls(maxElements + 1), maxDepth), { message: /at most 200000 elements/ })
  const { client } = await serverFor(t)
  t.match(await client.send(nulls(7_000_000)), { ok: { value: 0 }, codeName: 'CommandNotSupported' })
  t.match(await client.send({ ping: 1 }), { ok: { value: 1 } })
})

t.test('nesting of 200 levels is refused, in a command and in a document', async t => {
  const { client } = await serverFor(t)
  let deep: object = {}
  for (let level = 0; level < 200; level++) deep = { a: deep }
  t.match(await client.send({ find: 'students', filter: deep }), { ok: { value: 0 }, codeName: 'Overflow' })
  t.match(await client.send({ insert: 'students' }, { sequences: { documents: [deep] } }), { ok: { value: 0 }, codeName: 'Overflow' })
  t.match(await client.send({ count: 'students' }), { n: { value: 0 } })
})

t.test('a walk handles some documents in a turn, and fewer where they are large', async t => {
  const { server: { storage } } = await serverFor(t)
  for (const [namespace, count, size, most] of [['college.small', 1200, 10, 1000], ['college.large', 12, 400_000, 3]] as const) {
    const collection = new Collection(storage, namespace)
    await collection.write(() => {
      for (let n = 0; n < count; n++) {
        const key = Buffer.concat([collection.prefix, Buffer.from([16]), Buffer.from(String(n).padStart(6, '0'))])
        collection.put(key, Buffer.from(serialize({ _id: n, text: 'x'.repeat(size) })))
      }
    })
    const turns: number[] = []
    for (const scan = new Scan(collection, everything); !scan.done;) turns.push(scan.slice().length)
    t.equal(turns.reduce((sum, length) => sum + length), count)
    t.equal(Math.max(...turns), most, namespace)
  }
})
