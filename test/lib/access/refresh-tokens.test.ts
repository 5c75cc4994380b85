import { MongoServerError, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { connect } from '../../../lib/mongodb/connect.js'
import { RefreshTokens, type TokenFamily } from '../../../lib/access/refresh-tokens.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

/** Refresh tokens on a server that answers inserts with this. */
async function build (t: Test, answer: Document) {
  const address = await fakeMongodb(t, (command) => command.insert ? answer : hello)
  const client = await connect(`mongodb://${address}/?directConnection=true`)
  t.teardown(() => client.close())
  return new RefreshTokens(client.db('x').collection<TokenFamily>('refresh_tokens'), new StoreGuard(client, 5_000), ['a key'])
}

const alice = { username: 'alice' }

t.test('a family that meets its own write, after its first answer was lost, is issued', async (t) => {
  const tokens = await build(t, { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'x', keyPattern: { _id: 1 } }] })
  t.match(await tokens.issue(alice, []), /^[\w-]{22}\.[\w-]{43}$/)
})

t.test('any other error of the database is one of the login', async (t) => {
  const tokens = await build(t, { ok: 1, n: 0, writeErrors: [{ index: 0, code: 2, errmsg: 'x' }] })
  await t.rejects(tokens.issue(alice, []), MongoServerError)
})
