import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import { documentId } from '../../lib/user-store.js'
import mongodb from '../../plugins/mongodb.js'
import mongoUsers from '../../plugins/users.js'
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
  await app.register(mongodb, { client, database: database.databaseName })
  await app.register(mongoUsers, { database: database.databaseName })
  const collection = database.collection<UserDocument>('users')
  return { store: app.users, put: (username, document) => collection.insertOne({ _id: documentId(username), ...document }) }
})

t.test('a store whose connection is closed is unavailable, also for a new profile', async (t) => {
  const app = Fastify()
  await app.register(mongodb, { url })
  await app.register(mongoUsers)
  await app.ready()
  await app.close()
  await t.rejects(app.users.create({ username: 'alice' }), { code: 'SCA_STORE_UNAVAILABLE' })
  await t.rejects(app.users.get('alice'), { code: 'SCA_STORE_UNAVAILABLE' })
})
