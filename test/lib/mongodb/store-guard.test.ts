import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { deserialize, serialize } from 'bson'
import { MongoServerError, MongoWriteConcernError, type Document, type MongoClient } from 'mongodb'
import t from 'tap'
import { abortable } from '../../../lib/mongodb/driver-options.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'

function build (timeoutMs = 1_000, maxPoolSize = 9) {
  const pings: Document[] = []
  const command = async (ping: Document) => { pings.push(ping) }
  const client = Object.assign(new EventEmitter(), { options: { maxPoolSize }, db: () => ({ command }) })
  const clock = { now: 0 }
  // the guard asks nothing else of a client
  const guard = new StoreGuard(client as unknown as MongoClient, timeoutMs, { now: () => clock.now })
  const see = (hasKnownServers: boolean) => client.emit('topologyDescriptionChanged', { newDescription: { hasKnownServers } })
  return { client, clock, guard, see, pings }
}

const named = (name: string) => Object.assign(new Error('x'), { name })
const fails = (error: unknown) => async () => { throw error }

t.test('what an operation answers is passed on', async (t) => {
  const { guard } = build()
  t.equal(await guard.read(async () => 'read'), 'read')
  t.equal(await guard.write(async () => 'written'), 'written')
})

t.test('an operation over its time is aborted and unavailable', async (t) => {
  const { guard } = build(10)
  const operation = (signal: AbortSignal) => new Promise<never>((_resolve, reject) => {
    const keepAlive = setInterval(() => {}, 1_000) // a signal's timer keeps no process alive
    signal.onabort = () => {
      clearInterval(keepAlive)
      reject(signal.reason)
    }
  })
  await t.rejects(guard.read(operation), { code: 'SCA_STORE_UNAVAILABLE', statusCode: 503, message: /Try again later/ })
  await t.rejects(guard.write(operation), { code: 'SCA_STORE_UNAVAILABLE', message: /may have been applied/ })
})

t.test('an error of the network or of a server that can not serve is unavailable, with its cause', async (t) => {
  const { guard } = build()
  const notPrimary = new MongoServerError({ code: 10107, message: 'not primary' })
  for (const error of [named('MongoNetworkError'), named('MongoServerSelectionError'), named('MongoPoolClearedError'), notPrimary]) {
    await t.rejects(guard.read(fails(error)), { code: 'SCA_STORE_UNAVAILABLE', cause: error })
    await t.rejects(guard.write(fails(error)), { code: 'SCA_STORE_UNAVAILABLE', cause: error })
  }
})

t.test('a server that shuts down, and a pool that has no connection in time, are unavailable', async (t) => {
  const { guard } = build()
  for (const error of [new MongoServerError({ code: 11600, message: 'shutting down' }), named('MongoWaitQueueTimeoutError')]) {
    await t.rejects(guard.read(fails(error)), { code: 'SCA_STORE_UNAVAILABLE', statusCode: 503, cause: error })
    await t.rejects(guard.write(fails(error)), { code: 'SCA_STORE_UNAVAILABLE', statusCode: 503, cause: error })
  }
})

t.test('a write that was not sent changed nothing, and the answer says so', async (t) => {
  const { guard } = build(10)
  const hangs = () => new Promise<never>(() => {})
  for (const fail of [hangs, fails(named('MongoServerSelectionError'))]) {
    await t.rejects(guard.write((signal) => {
      abortable(signal)
      return fail()
    }), { code: 'SCA_STORE_UNAVAILABLE', message: /Nothing was changed/ })
    await t.rejects(guard.write((signal) => {
      serialize({ comment: abortable(signal).comment }) // as the driver does once it has a connection
      abortable(signal)
      return fail()
    }), { code: 'SCA_STORE_UNAVAILABLE', message: /may have been applied/ }, 'sent once is sent')
  }
})

t.test('what tells whether a command was sent leaves nothing in it', async (t) => {
  const { comment, ignoreUndefined } = abortable(new AbortController().signal)
  t.strictSame(deserialize(serialize({ delete: 'x', comment }, { ignoreUndefined: Boolean(ignoreUndefined) })), { delete: 'x' })
})

for (const [maxPoolSize, bound] of [[9, 3], [2, 1], [100, 32], [0, 32]] as const) {
  t.test(`of ${maxPoolSize || 'any number of'} connections ${bound} are for operations of a kind that go alone`, async (t) => {
    const { guard } = build(30, maxPoolSize)
    const begun = { read: 0, write: 0 }
    const outcomes = (['read', 'write'] as const).flatMap((kind) => Array.from({ length: 40 }, () => guard[kind](() => {
      begun[kind]++
      return new Promise<never>(() => {})
    }).catch((error) => error.code)))
    await turn()
    t.strictSame(begun, { read: bound, write: bound })
    t.ok((await Promise.all(outcomes)).every((code) => code === 'SCA_STORE_UNAVAILABLE'))
  })
}

t.test('after an operation without an answer each idle connection is asked, once within its time', async (t) => {
  const { client, guard, clock, pings } = build(5)
  const emit = (name: string, connectionId: number, address = 'a:1') => client.emit(`connection${name}`, { address, connectionId })
  for (const id of [1, 2, 3, 4, 5]) emit('Ready', id)
  for (const id of [1, 2]) emit('CheckedOut', id)
  emit('CheckedIn', 1)
  emit('Closed', 3)
  emit('Ready', 1, 'b:1')
  const hangs = () => new Promise<never>(() => {})
  await Promise.allSettled([guard.read(hangs), guard.read(hangs), guard.write(hangs)])
  t.strictSame(pings, Array.from({ length: 4 }, () => ({ ping: 1 })), 'of the first address 1, 4 and 5, and the one of the other')
  clock.now = 4
  await t.rejects(guard.read(hangs))
  t.equal(pings.length, 4)
  clock.now = 5
  await t.rejects(guard.read(hangs))
  t.equal(pings.length, 8)
})

t.test('a write that is not acknowledged as the URL asks may have been applied', async (t) => {
  const { guard } = build()
  const concern = new MongoWriteConcernError({ ok: 1, writeConcernError: { code: 100, errmsg: 'Not enough data-bearing nodes' } })
  await t.rejects(guard.write(fails(concern)), { code: 'SCA_STORE_UNAVAILABLE', message: /may have been applied/ })
})

t.test('what the collection\'s own validator refuses is 422, without the document', async (t) => {
  const { guard } = build()
  const refused = new MongoServerError({ code: 121, message: 'Document failed validation', errInfo: { secret: 'secret' } })
  const error: Error = await guard.write(fails(refused)).then(() => new Error('written'), (error) => error)
  t.match(error, { code: 'SCA_DOCUMENT_REFUSED', statusCode: 422, message: /reject this record\. Nothing was changed\.$/ })
  t.notOk(error.cause)
})

t.test('a full disk is 507', async (t) => {
  const { guard } = build()
  const full = new MongoServerError({ code: 14031, message: 'no space left on device' })
  await t.rejects(guard.write(fails(full)), { code: 'SCA_STORE_FULL', statusCode: 507, cause: full })
})

t.test('a duplicate key names the fields of the index and none of their values', async (t) => {
  const { guard } = build()
  const duplicate = (keyPattern?: object) => new MongoServerError({ code: 11000, message: 'dup key: { email: "secret" }', keyPattern })
  for (const [keyPattern, fields] of [[{ email: 1 }, 'email'], [{ email: 1, course: 1 }, 'email and course'], [undefined, 'key']] as const) {
    const error: Error = await guard.write(fails(duplicate(keyPattern))).then(() => new Error('written'), (error) => error)
    t.match(error, { code: 'SCA_DUPLICATE_KEY', statusCode: 409, message: `A record with this ${fields} already exists.` })
    t.notOk(error.cause)
  }
})

t.test('any other error is passed on as it is', async (t) => {
  const { guard } = build()
  for (const error of [new MongoServerError({ code: 2 }), new TypeError('x'), 'text']) {
    t.equal(await guard.write(fails(error)).catch((thrown) => thrown), error)
  }
})

t.test('a server unknown for over a second is known to be down: no operation begins until it is back', async (t) => {
  const { guard, clock, see } = build()
  let begun = 0
  const operation = async () => ++begun

  see(false)
  clock.now = 1_000
  see(false)
  t.equal(await guard.read(operation), 1, 'the driver may still get by')

  clock.now = 1_001
  await t.rejects(guard.read(operation), { code: 'SCA_STORE_UNAVAILABLE', message: /Try again later/ })
  await t.rejects(guard.write(operation), { code: 'SCA_STORE_UNAVAILABLE', message: /Nothing was changed/ })
  t.equal(begun, 1)

  see(true)
  t.equal(await guard.write(operation), 2)
})

t.test('a closed guard leaves nothing on the client', async (t) => {
  const { guard, client } = build()
  const names = client.eventNames()
  t.equal(names.length, 6)
  guard.close()
  t.strictSame(client.eventNames(), [])
})
