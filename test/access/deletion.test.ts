import t from 'tap'
import studentCourseApi from '../../app.js'
import { LIMITS } from '../../lib/access/login-limits.js'
import { StoreUnavailableError } from '../../lib/http/errors.js'
import { SCOPES } from '../../schemas/user.js'
import { buildHost, newDatabase, prefix } from '../app/host.js'
import { client } from '../store.js'
import { forge, key, newcomer, secured } from './secured.js'

const admin = () => forge({ claims: { scope: SCOPES.join(' ') } })

t.test('a user who was deleted has no login and no token, and leaves nothing but the name of those tokens', async (t) => {
  const { addUser, send, logIn, refresh, database, users } = await secured(t)
  // a name that no random text has
  await addUser('bob.smith', { email: 'bob@example.com' })
  await addUser('carol')
  const [login, other] = [(await logIn('bob.smith')).json(), (await logIn('carol')).json()]
  await logIn('bob.smith', { password: 'wrong' })
  const answer = await send('DELETE', '/users/bob.smith', admin())
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.equal((await refresh(login.refresh_token)).json().error, 'invalid_grant')
  t.equal((await logIn('bob.smith')).json().error, 'invalid_grant')
  for (const [method, path] of [['POST', '/users/'], ['GET', '/users/me'], ['GET', '/students/']] as const) {
    t.equal((await send(method, path, login.access_token, method === 'POST' ? newcomer : undefined)).statusCode, 401, path)
  }
  t.equal((await send('GET', '/students/', other.access_token)).statusCode, 200)
  t.equal((await refresh(other.refresh_token)).statusCode, 200, 'others go on')
  t.equal(await users.findOne({ _id: 'userprofile::bob.smith' }), null)
  for (const { collectionName } of [users, database.collection('refresh_tokens'), database.collection('login_counters')]) {
    t.notMatch(JSON.stringify(await database.collection(collectionName).find({}).toArray()), 'bob.smith', collectionName)
  }
  t.equal((await send('DELETE', '/users/bob.smith', admin())).statusCode, 404)
  t.equal((await send('DELETE', '/users/Me!', admin())).statusCode, 422)
})

t.test('nobody deletes a user who holds a scope that they lack', async (t) => {
  const { addUser, send, logIn, refresh, users } = await secured(t)
  await addUser('bob', { scopes: ['students:write'] })
  const { refresh_token: token } = (await logIn('bob')).json()
  const refused = await send('DELETE', '/users/bob', forge({ claims: { scope: 'users:write' } }))
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], 'scope="students:write"')
  t.ok(await users.findOne({ _id: 'userprofile::bob' }))
  t.equal((await refresh(token)).statusCode, 200, 'whose logins go on')
})

t.test('a lock ends with its user, and a second try ends what a failure left of the first', async (t) => {
  const { app, addUser, send, logIn, database } = await secured(t)
  await addUser('bob')
  await logIn('bob')
  for (let count = 0; count < LIMITS.account; count++) await app.inject({ url: '/' }) && await logIn('bob', { password: 'wrong' })
  t.equal((await logIn('bob')).statusCode, 429)
  const collection = Object.getPrototypeOf(database.collection('refresh_tokens'))
  const { deleteMany } = collection
  let isAway = true
  t.intercept(collection, 'deleteMany', {
    value: async function (this: unknown, ...given: unknown[]) {
      if (isAway) throw new StoreUnavailableError('The change may have been applied.')
      return deleteMany.apply(this, given)
    }
  })
  t.equal((await send('DELETE', '/users/bob', admin())).statusCode, 503)
  isAway = false
  t.equal(await database.collection('refresh_tokens').countDocuments({}), 1)
  t.equal((await send('DELETE', '/users/bob', admin())).statusCode, 404)
  t.equal(await database.collection('refresh_tokens').countDocuments({}), 0)
  t.equal((await logIn('bob')).json().error, 'invalid_grant', 'the name is free of its lock')
})

t.test('a host that knows its callers deletes users too, and changes no passwords here', async (t) => {
  const host = await buildHost(t)
  const database = newDatabase(t)
  await host.register(studentCourseApi, { prefix, client, database, auth: { authenticate: () => ({ username: 'host', scopes: SCOPES }) } })
  await host.inject({ method: 'POST', url: `${prefix}/users/`, payload: newcomer })
  t.equal((await host.inject({ method: 'PUT', url: `${prefix}/users/newcomer`, payload: { password: 'another one' } })).statusCode, 200)
  t.equal((await host.inject({ method: 'DELETE', url: `${prefix}/users/newcomer` })).statusCode, 204)
  t.equal((await host.inject({ method: 'PUT', url: `${prefix}/users/me/password`, payload: {} })).statusCode, 404)
})

t.test('with tokens of its own in a host, a user is deleted below the prefix', async (t) => {
  const host = await buildHost(t)
  const database = newDatabase(t)
  await host.register(studentCourseApi, { prefix, client, database, auth: { keys: [key] } })
  const caller = { ...newcomer, username: 'caller' }
  await client.db(database).collection<{ _id: string }>('users').insertOne({ _id: 'userprofile::caller', ...caller, scopes: SCOPES } as { _id: string })
  const headers = { authorization: `Bearer ${admin()}` }
  await host.inject({ method: 'POST', url: `${prefix}/users/`, payload: newcomer, headers })
  t.equal((await host.inject({ method: 'DELETE', url: `${prefix}/users/newcomer`, headers })).statusCode, 204)
  t.equal((await host.inject({ url: `${prefix}/users/newcomer`, headers })).statusCode, 404)
})
