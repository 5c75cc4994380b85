import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { start } from '../embedded/index.js'
import { connect } from '../lib/mongodb/connect.js'

/** The server that a test file runs on: MONGODB_URL, or else an embedded store of its own. */
export const url = process.env.MONGODB_URL ?? await startEmbedded()

/** A connection beside that of the API, to see what is stored. */
export const client = await connect(url)
t.teardown(() => client.close())

async function startEmbedded (): Promise<string> {
  // tap removes its own folders before the last teardown, when the store still lives
  const path = await mkdtemp(join(tmpdir(), 'store-'))
  const store = await start({ path })
  t.teardown(async () => {
    await store.close()
    await rm(path, { recursive: true })
  })
  return store.url
}
