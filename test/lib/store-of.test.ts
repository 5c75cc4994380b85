import t from 'tap'
import { loadConfig } from '../../config.js'
import { start } from '../../embedded/index.js'
import { couchbaseOf, storeOf } from '../../lib/store-of.js'

t.test('a URL wins, else a live store, else one to start', async (t) => {
  const DATA_DIR = t.testdir()
  t.strictSame(await storeOf(loadConfig({ DATA_DIR, MONGODB_URL: 'mongodb://x' })), { url: 'mongodb://x', database: 'college', timeoutMs: 1_500 })
  t.strictSame(await storeOf(loadConfig({ DATA_DIR, MONGODB_DATABASE: 'other' })), { embedded: DATA_DIR, database: 'other', timeoutMs: 1_500 })
  const store = await start({ path: DATA_DIR })
  t.strictSame(await storeOf(loadConfig({ DATA_DIR })), { url: store.url, database: 'college', timeoutMs: 1_500 })
  await store.close()
  t.strictSame(await storeOf(loadConfig({ DATA_DIR })), { embedded: DATA_DIR, database: 'college', timeoutMs: 1_500 })
})

t.test('profiles are on Couchbase only where it is named', async (t) => {
  t.equal(couchbaseOf(loadConfig({})), undefined)
  const env = { COUCHBASE_URL: 'couchbase://x', COUCHBASE_USERNAME: 'u', COUCHBASE_PASSWORD: 'p', COUCHBASE_BUCKET: 'b' }
  t.strictSame(couchbaseOf(loadConfig(env)), { url: 'couchbase://x', username: 'u', password: 'p', bucket: 'b', timeoutMs: 5_000 })
})
