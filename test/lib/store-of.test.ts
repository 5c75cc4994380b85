import t from 'tap'
import { loadConfig } from '../../config.js'
import { start } from '../../embedded/index.js'
import { storeOf } from '../../lib/store-of.js'

t.test('a URL wins, else a live store, else one to start', async (t) => {
  const DATA_DIR = t.testdir()
  t.strictSame(await storeOf(loadConfig({ DATA_DIR, MONGODB_URL: 'mongodb://x' })), { url: 'mongodb://x', database: 'college' })
  t.strictSame(await storeOf(loadConfig({ DATA_DIR, MONGODB_DATABASE: 'other' })), { embedded: DATA_DIR, database: 'other' })
  const store = await start({ path: DATA_DIR })
  t.strictSame(await storeOf(loadConfig({ DATA_DIR })), { url: store.url, database: 'college' })
  await store.close()
  t.strictSame(await storeOf(loadConfig({ DATA_DIR })), { embedded: DATA_DIR, database: 'college' })
})
