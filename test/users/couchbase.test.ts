import Fastify from 'fastify'
import t from 'tap'
import { connectCouchbase, loadSdk, type CouchbaseSdk } from '../../lib/users/couchbase.js'
import { REFUSED, UNANSWERED } from '../../lib/users/couchbase-errors.js'
import { CouchbaseUsers } from '../../lib/users/couchbase-users.js'
import { documentId } from '../../lib/users/user-store.js'
import couchbase from '../../plugins/couchbase.js'
import { userStoreContract } from './contract.js'
import fakePackage from './fake-couchbase-package.js'
import { FakeBucket, sdkError } from './fake-couchbase.js'

const alice = { username: 'alice', email: 'alice@example.com' }
const options = { url: 'couchbase://cb.example.com', username: 'admin-name', password: 'admin-secret', bucket: 'college', timeoutMs: 20 }

async function open () {
  const bucket = new FakeBucket()
  const store = new CouchbaseUsers(bucket, 20)
  await store.create(alice)
  return { bucket, store }
}

/** An SDK whose server has that bucket, and all that it was asked. */
function fakeSdk (bucket: FakeBucket, connected: Promise<unknown> = Promise.resolve()) {
  const calls: unknown[] = []
  const sdk: CouchbaseSdk = {
    async connect (...args) {
      calls.push(args)
      await connected
      return { bucket: (name) => { calls.push(name); return bucket }, close: async () => { calls.push('close') } }
    }
  }
  return { sdk, calls }
}

const never = () => new Promise<never>(() => {})

t.test('the contract', async (t) => {
  userStoreContract(t, async () => {
    const bucket = new FakeBucket()
    return {
      store: new CouchbaseUsers(bucket, 1_000),
      put: async (username, document) => bucket.put(documentId(username), document)
    }
  })
})

t.test('a server that is out of reach is StoreUnavailableError, which tells whether a write may have been applied', async (t) => {
  const network = { name: 'Error', code: 1007 }
  const cases = [
    ...[...REFUSED].map((name) => [sdkError(name), 'Nothing was changed.'] as const),
    ...[...UNANSWERED].map((name) => [sdkError(name), 'The change may have been applied.'] as const),
    [sdkError('end_of_stream', network), 'The change may have been applied.'] as const
  ]
  for (const [error, effect] of cases) {
    const { bucket, store } = await open()
    const fail = async () => { throw error }
    bucket.instead = { get: fail, query: fail, insert: fail, replace: fail }
    const unavailable = (effect: string) => ({ statusCode: 503, message: `The database is out of reach. ${effect}`, cause: error })
    await t.rejects(store.get('alice'), unavailable('Try again later.'), error.message)
    await t.rejects(store.list(), unavailable('Try again later.'))
    await t.rejects(store.create(alice), unavailable(effect))
    bucket.instead = { replace: fail, remove: fail }
    await t.rejects(store.update('alice', {}), unavailable(effect))
    await t.rejects(store.delete('alice'), unavailable(effect))
  }
})

t.test('any other error is handed on as it is', async (t) => {
  for (const error of [sdkError('ValueTooLargeError'), sdkError('Error', { code: 10 }), sdkError('Error', { code: 2000 })]) {
    const { bucket, store } = await open()
    const fail = async () => { throw error }
    bucket.instead = { get: fail, query: fail, insert: fail }
    for (const operation of [store.get('alice'), store.list(), store.create(alice), store.update('alice', {})]) {
      t.equal(await operation.catch((thrown) => thrown), error)
    }
  }
})

t.test('an operation without an answer ends at the deadline', async (t) => {
  const { bucket, store } = await open()
  bucket.instead = { get: never, query: never, insert: never, replace: never }
  const started = performance.now()
  const reads: Promise<unknown>[] = [store.get('alice'), store.list()]
  const writes = [store.create(alice), store.update('alice', {})]
  await Promise.all([
    ...reads.map((read) => t.rejects(read, { statusCode: 503, message: /Try again later/ })),
    ...writes.map((write) => t.rejects(write, { statusCode: 503, message: /may have been applied/ }))
  ])
  t.ok(performance.now() - started < 1_000)
})

t.test('an update that has failed by the deadline writes nothing afterwards', async (t) => {
  const { bucket, store } = await open()
  let answer = () => {}
  let replaced = false
  bucket.instead = {
    // answers when it is too late; never with a value, as `instead` has none
    get: () => new Promise<never>((resolve) => { answer = resolve as () => void }),
    replace: async () => { replaced = true; throw new Error('too late') }
  }
  await t.rejects(store.update('alice', { disabled: true }), { statusCode: 503, message: /may have been applied/ })
  answer()
  await new Promise(setImmediate)
  t.notOk(replaced)
})

t.test('what another changes between the read and the write of an update survives', async (t) => {
  const { bucket, store } = await open()
  const get = bucket.get.bind(bucket)
  bucket.get = async (key) => {
    const found = await get(key)
    bucket.get = get
    bucket.put(key, { ...alice, full_name: 'Rival' })
    return found
  }
  t.equal(await store.update('alice', { disabled: true }), true)
  t.strictSame(await store.get('alice'), { ...alice, full_name: 'Rival', disabled: true })
})

t.test('an update among endless rivals gives up and says that nothing was changed', async (t) => {
  const { bucket, store } = await open()
  let attempts = 0
  bucket.instead = { replace: async () => { attempts++; throw sdkError('CasMismatchError') } }
  await t.rejects(store.update('alice', {}), { statusCode: 503, message: /Nothing was changed/ })
  t.equal(attempts, 10)
})

t.test('a user who goes away during an update is not updated', async (t) => {
  const { bucket, store } = await open()
  bucket.instead = { replace: async () => { throw sdkError('DocumentNotFoundError') } }
  t.equal(await store.update('alice', {}), false)
})

t.test('what another changes between the read and the removal of a user is looked at again', async (t) => {
  const { bucket, store } = await open()
  const get = bucket.get.bind(bucket)
  bucket.get = async (key) => {
    const found = await get(key)
    bucket.get = get
    bucket.put(key, { ...alice, scopes: ['users:write'] })
    return found
  }
  t.equal(await store.delete('alice', { lacks: ['users:write'] }), false)
  t.strictSame(await store.get('alice'), { ...alice, scopes: ['users:write'] })
})

t.test('a document that is not an object is no profile', async (t) => {
  const { bucket, store } = await open()
  for (const content of [null, 5, 'text', ['a']]) {
    bucket.put(documentId('alice'), content)
    t.equal(await store.get('alice'), undefined)
    t.equal(await store.update('alice', { disabled: true }), false)
    t.strictSame(await store.list(), [])
  }
})

t.test('a list without an index says what is needed', async (t) => {
  const { bucket, store } = await open()
  bucket.instead = { query: async () => { throw sdkError('PlanningFailureError') } }
  await t.rejects(store.list(), { code: 'SCA_SETUP', message: /needs a primary index/ })
})

t.test('the plugin connects once, with credentials and time-outs, and closes with the app', async (t) => {
  const { sdk, calls } = fakeSdk(new FakeBucket())
  const app = Fastify()
  await app.register(couchbase, { ...options, timeoutMs: undefined, sdk })
  t.equal(await app.users.create(alice), true)
  t.strictSame(await app.users.get('alice'), alice)
  const timeouts = { kvTimeout: 5000, queryTimeout: 5000, connectTimeout: 5000, bootstrapTimeout: 5000, resolveTimeout: 5000 }
  const connect = [options.url, { username: 'admin-name', password: 'admin-secret', timeouts }]
  t.strictSame(calls, [connect, 'college'])
  await app.close()
  t.strictSame(calls, [connect, 'college', 'close'])
})

t.test('a connection that does not close holds nothing up', async (t) => {
  const sdk: CouchbaseSdk = { connect: async () => ({ bucket: () => new FakeBucket(), close: never }) }
  const app = Fastify()
  await app.register(couchbase, { ...options, sdk })
  await t.resolves(app.close())
})

t.test('a server that refuses the credentials is a SetupError without them', async (t) => {
  const { sdk } = fakeSdk(new FakeBucket(), Promise.reject(sdkError('AuthenticationFailureError')))
  const { message, code } = await connectCouchbase({ ...options, sdk }).catch((error) => error)
  t.equal(code, 'SCA_SETUP')
  t.equal(message, 'student-course-api: Couchbase at cb.example.com refused the user name or the password')
})

t.test('a server out of reach is a SetupError without the credentials', async (t) => {
  const error = sdkError('UnambiguousTimeoutError', { message: 'admin-name with admin-secret had no answer' })
  const { sdk } = fakeSdk(new FakeBucket(), Promise.reject(error))
  const { message, code } = await connectCouchbase({ ...options, url: 'couchbase://u:url-secret@cb.example.com', sdk }).catch((error) => error)
  t.equal(code, 'SCA_SETUP')
  t.equal(message, 'student-course-api: Couchbase at cb.example.com is out of reach, or has no bucket college: ' +
    'UnambiguousTimeoutError: *** with *** had no answer')
})

t.test('of a URL that is not well-formed nothing is told', async (t) => {
  const { sdk } = fakeSdk(new FakeBucket(), Promise.reject(sdkError('InvalidArgumentError', { message: 'couchbase://user:secret7#x' })))
  const { message } = await connectCouchbase({ ...options, url: 'couchbase://user:secret7#x', sdk }).catch((error) => error)
  t.equal(message, 'student-course-api: the Couchbase URL is not well-formed')
})

t.test('a bucket that does not answer is a SetupError, and the connection is closed', async (t) => {
  for (const get of [never, async () => { throw sdkError('UnambiguousTimeoutError') }]) {
    const bucket = new FakeBucket()
    bucket.instead = { get }
    const { sdk, calls } = fakeSdk(bucket)
    await t.rejects(connectCouchbase({ ...options, sdk }), { code: 'SCA_SETUP', message: /has no bucket college: TimeoutError|Unambiguous/ })
    await new Promise(setImmediate)
    t.equal(calls.at(-1), 'close')
  }
})

t.test('a connection that comes up too late is closed', async (t) => {
  let connected = () => {}
  const { sdk, calls } = fakeSdk(new FakeBucket(), new Promise<void>((resolve) => { connected = resolve }))
  await t.rejects(connectCouchbase({ ...options, sdk }), { code: 'SCA_SETUP' })
  connected()
  await new Promise(setImmediate)
  t.equal(calls.at(-1), 'close')
})

t.test('without the package, or with one that can not run here, the start says what to install', async (t) => {
  for (const name of ['couchbase-that-nobody-has', 'data:text/javascript,throw new Error("no native build")']) {
    await t.rejects(loadSdk(name), {
      code: 'SCA_SETUP', message: /need the package couchbase 4\.7: npm install couchbase@4\.7 \(Error[^:]*: .*(nobody-has|no native build)/
    })
  }
})

t.test('the package is loaded by its name', async (t) => {
  t.equal(await loadSdk(new URL('./fake-couchbase-package.js', import.meta.url).href), fakePackage)
  // whether it is installed or not: nobody listens on that port
  await t.rejects(connectCouchbase({ ...options, url: 'couchbase://127.0.0.1:1' }), { code: 'SCA_SETUP' })
})
