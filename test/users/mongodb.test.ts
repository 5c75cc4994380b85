import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import { documentId } from '../../lib/users/user-store.js'
import { DEFAULTS } from '../../lib/mongodb/database-options.js'
import mongodb from '../../plugins/mongodb.js'
import mongoUsers from '../../plugins/users.js'
import { fakeMongodb, hello } from '../fake-mongodb.js'
import { client, url } from '../store.js'
import { userStoreContract } from './contract.js'

interface UserDocument {
  _id: string
}

userStoreContract(t, async (t) => {
  const app = Fastify()
  const database = client.db(`test_${randomUUID()}`)
  t.teardown(async () => {
    await app.close()
    await database.dropDatabase()
  })
  await app.register(mongodb, { ...DEFAULTS, client, database: database.databaseName })
  await app.register(mongoUsers, { database: database.databaseName })
  const collection = database.collection<UserDocument>('users')
  return { store: app.users, put: (username, document) => collection.insertOne({ _id: documentId(username), ...document }) }
})

t.test('a new profile that meets its own write, after its first answer was lost, is created', async (t) => {
  const duplicate = { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'x', keyPattern: { _id: 1 } }] }
  const stored = { _id: documentId('alice'), username: 'alice', hashed_password: 'the hash' }
  const server = await fakeMongodb(t, (command) => {
    if (command.insert) return duplicate
    return command.find ? { ok: 1, cursor: { id: 0n, ns: 'college.users', firstBatch: [stored] } } : hello
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mongodb, { ...DEFAULTS, url: `mongodb://${server}/?directConnection=true` })
  await app.register(mongoUsers, DEFAULTS)
  t.equal(await app.users.create({ username: 'alice', hashed_password: 'the hash' }), true)
  t.equal(await app.users.create({ username: 'alice', hashed_password: 'another hash' }), false)
  t.equal(await app.users.create({ username: 'alice' }), false)
})

t.test('a store whose connection is closed is unavailable, also for a new profile', async (t) => {
  const app = Fastify()
  await app.register(mongodb, { ...DEFAULTS, url })
  await app.register(mongoUsers, DEFAULTS)
  await app.ready()
  await app.close()
  await t.rejects(app.users.create({ username: 'alice' }), { code: 'SCA_STORE_UNAVAILABLE' })
  await t.rejects(app.users.get('alice'), { code: 'SCA_STORE_UNAVAILABLE' })
})
