/**
 * The Couchbase store on a server, with the package couchbase: COUCHBASE_URL, and COUCHBASE_BUCKET, COUCHBASE_USERNAME and
 * COUCHBASE_PASSWORD where they are not those of .ci/run. COUCHBASE_PID is the server's process, which is frozen and
 * killed at the end. COUCHBASE_LISTS=no tells that the server knows no queries, as CouchbaseMock.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { connectCouchbase, loadSdk } from '../../lib/users/couchbase.js'
import { REFUSED, UNANSWERED } from '../../lib/users/couchbase-errors.js'
import { CouchbaseUsers, type CouchbaseCollection } from '../../lib/users/couchbase-users.js'
import { documentId } from '../../lib/users/user-store.js'
import couchbase from '../../plugins/couchbase.js'
import { userStoreContract } from '../users/contract.js'

const { COUCHBASE_URL: url, COUCHBASE_PID: pid, COUCHBASE_LISTS: lists } = process.env
const { COUCHBASE_USERNAME: username = 'Administrator', COUCHBASE_PASSWORD: password = 'password' } = process.env
const { COUCHBASE_BUCKET: bucket = 'bucket_name' } = process.env
if (!url) throw new Error('COUCHBASE_URL is not set: name the server to test on')

const options = { url, username, password, bucket }
const timeoutMs = 1_000
const alice = { username: 'alice', email: 'alice@example.com' }

/** The store, and what is in it under an id of its own; what the test wrote goes with it. */
async function open (t: Test) {
  const { bucket, close } = await connectCouchbase(options)
  const collection = bucket.defaultCollection() as CouchbaseCollection & { remove(key: string, options?: object): Promise<unknown> } // without a version, as the SDK has it
  const keys = new Set<string>()
  const insert = (key: string, content: object) => {
    keys.add(key)
    return collection.insert(key, content)
  }
  t.teardown(async () => {
    await Promise.all([...keys].map((key) => collection.remove(key)))
    await close()
  })
  const remove: CouchbaseCollection['remove'] = async (key, options) => {
    await collection.remove(key, options)
    keys.delete(key)
  }
  const watched = { get: collection.get.bind(collection), replace: collection.replace.bind(collection), insert, remove }
  return {
    store: new CouchbaseUsers({ defaultCollection: () => watched, defaultScope: () => bucket.defaultScope() }, 5_000),
    put: (username: string, document: object) => insert(documentId(username), document)
  }
}

/** The app's store with a short time-out, as the plugin makes it. */
async function register (t: Test): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(couchbase, { ...options, timeoutMs })
  return app
}

/** Asks for everything at once; each must end in time, as unavailable and with one of these effects. */
async function isUnavailable (t: Test, { users }: FastifyInstance, effects: RegExp) {
  const started = performance.now()
  await Promise.all([
    t.rejects(users.get('alice'), { statusCode: 503, message: /Try again later/ }),
    t.rejects(users.create({ username: 'bob' }), { statusCode: 503, message: effects }),
    t.rejects(users.update('alice', { disabled: true }), { statusCode: 503, message: /Nothing was changed/ })
  ])
  const ms = performance.now() - started
  t.ok(ms < timeoutMs + 500, `within ${Math.round(ms)} ms`)
}

t.test('the contract', async (t) => {
  userStoreContract(t, open, { lists: lists !== 'no' })
})

t.test('a server that knows no queries is told by an error', { skip: lists === 'no' ? false : 'it lists' }, async (t) => {
  const { store } = await open(t)
  await t.rejects(store.list())
})

t.test('every error that is known by name is one of the SDK', async (t) => {
  const sdk = await loadSdk()
  for (const name of [...REFUSED, ...UNANSWERED]) t.ok(name in sdk, name)
})

t.test('a server or a bucket that is not there is a SetupError in time, without the credentials', async (t) => {
  for (const wrong of [{ url: 'couchbase://127.0.0.1:1' }, { bucket: 'no_such_bucket' }, { url: 'couchbase://' }]) {
    const started = performance.now()
    const { code, message } = await connectCouchbase({ ...options, timeoutMs, ...wrong }).catch((error) => error)
    t.equal(code, 'SCA_SETUP')
    t.notMatch(message, password)
    t.ok(performance.now() - started < timeoutMs + 500, message)
  }
})

t.test('a server that is frozen, then killed, is StoreUnavailableError in time', { skip: pid ? false : 'COUCHBASE_PID is not set' }, async (t) => {
  const app = await register(t)
  await app.users.create(alice)
  process.kill(Number(pid), 'SIGSTOP')
  // it is stopped once the last of its threads is
  while (!/\) T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) await sleep(5)
  t.teardown(() => { try { process.kill(Number(pid), 'SIGCONT') } catch { /* it is killed by then */ } })
  await isUnavailable(t, app, /The change may have been applied/)
  await t.rejects(connectCouchbase({ ...options, timeoutMs }), { code: 'SCA_SETUP', message: /out of reach/ })

  process.kill(Number(pid), 'SIGCONT')
  t.strictSame(await app.users.get('alice'), alice, 'it serves again when it goes on')

  process.kill(Number(pid), 'SIGKILL')
  await isUnavailable(t, app, /The change may have been applied|Nothing was changed/)
  await isUnavailable(t, app, /Nothing was changed/)
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < timeoutMs, 'closing does not wait')
})
