import type { Collection, Db } from 'mongodb'
import t, { type Test } from 'tap'
import studentCourseApi from '../../app.js'
import { LIMITS } from '../../lib/access/login-limits.js'
import { changePassword } from '../../lib/access/login.js'
import { hashPassword } from '../../lib/access/passwords.js'
import { StoreUnavailableError } from '../../lib/http/errors.js'
import { documentId } from '../../lib/users/user-store.js'
import { buildHost, newDatabase, prefix } from '../app/host.js'
import { client } from '../store.js'
import { forge, key, newcomer, password, secured } from './secured.js'

const another = 'battery staple'
const path = '/users/me/password'

/** Alice, logged in twice, and what she sends. */
async function alice (...[t, options]: Parameters<typeof secured>) {
  const built = await secured(t, options)
  await built.addUser('alice')
  const [login, other] = [(await built.logIn('alice')).json(), (await built.logIn('alice')).json()]
  const change = async (from: unknown, to: unknown, token = login.access_token) => built.send('PUT', path, token, { current_password: from, new_password: to })
  return { ...built, login, other, change }
}

/** Has something happen before each change of a document of a collection. */
function onChangesOf (t: Test, database: Db, name: string, before: () => Promise<void>) {
  const collection = Object.getPrototypeOf(database.collection(name))
  const { findOneAndUpdate } = collection
  t.intercept(collection, 'findOneAndUpdate', {
    value: async function (this: Collection, ...given: unknown[]) {
      if (this.collectionName === name) await before()
      return findOneAndUpdate.apply(this, given)
    }
  })
}

t.test('a user sets another password, which ends all other logins and not this one', async (t) => {
  const { change, logIn, refresh, send, login, other } = await alice(t)
  const answer = await change(password, another)
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.equal((await logIn('alice')).json().error, 'invalid_grant')
  t.equal((await refresh(other.refresh_token)).json().error, 'invalid_grant')
  for (const [token, status] of [[other.access_token, 401], [login.access_token, 200]]) {
    t.equal((await send('GET', '/students/', token)).statusCode, status, 'access tokens too')
    t.equal((await send('GET', '/users/me', token)).statusCode, status)
  }
  t.equal((await send('POST', '/users/', other.access_token, newcomer)).statusCode, 401)
  const next = (await refresh(login.refresh_token)).json()
  t.equal((await send('POST', '/users/', next.access_token, newcomer)).statusCode, 201)
  t.equal((await change(another, 'a third one', next.access_token)).statusCode, 204)
  t.equal((await logIn('alice', { password: 'a third one' })).statusCode, 200)
})

t.test('a token that names no login changes a password and ends all', async (t) => {
  const { change, refresh, login } = await alice(t)
  t.equal((await change(password, another, forge({ claims: { sub: 'alice', sid: 5 } }))).statusCode, 204)
  t.equal((await refresh(login.refresh_token)).json().error, 'invalid_grant')
})

t.test('a wrong password changes nothing', async (t) => {
  const { change, logIn, refresh, other } = await alice(t)
  const answer = await change('wrong', another)
  t.equal(answer.statusCode, 422)
  t.match(answer.json(), { detail: 'The body is not valid.', instance: path, errors: [{ pointer: '/current_password', detail: 'is wrong' }] })
  t.equal((await refresh(other.refresh_token)).statusCode, 200)
  t.equal((await logIn('alice')).statusCode, 200)
})

t.test('a new password has the rules of a new user\'s', async (t) => {
  const { change, logIn } = await alice(t)
  const pointers = async (...given: [unknown, unknown]) => (await change(...given)).json().errors.map(({ pointer }: { pointer: string }) => pointer)
  t.strictSame(await pointers(undefined, undefined), ['/current_password', '/new_password'])
  for (const wrong of ['short', 'x'.repeat(257), '\ud800'.repeat(8), 5, null]) t.strictSame(await pointers(password, wrong), ['/new_password'])
  t.strictSame(await pointers('x'.repeat(257), another), ['/current_password'])
  t.equal((await logIn('alice')).statusCode, 200)
})

t.test('nobody guesses a password here: guesses count as failed logins, and those as guesses', async (t) => {
  const { change, logIn } = await alice(t)
  for (let count = 0; count < LIMITS.account / 2; count++) {
    t.equal((await change('wrong', another)).statusCode, 422)
    t.equal((await logIn('alice', { password: 'wrong' })).statusCode, 400)
  }
  const locked = await change(password, another)
  t.equal(locked.statusCode, 429)
  t.ok(Number(locked.headers['retry-after']) > 0)
  t.match(locked.json(), { detail: 'Too many failed logins. Try again later.' })
  t.equal((await logIn('alice')).statusCode, 429)
})

t.test('it waits in the queue of logins', async (t) => {
  const { change, logIn, database } = await alice(t)
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  onChangesOf(t, database, 'login_counters', async () => released)
  const waiting = Array.from({ length: 200 }, async (_, index) => logIn('bob', {}, `10.0.${index}.1`))
  await new Promise((resolve) => setTimeout(resolve, 200))
  const answer = await change(password, another)
  release()
  await Promise.all(waiting)
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { detail: 'Too many logins at once. Try again later.' })
})

t.test('a success lifts what failures there were, and an outage counts neither way', async (t) => {
  const { change, database } = await alice(t)
  for (let count = 1; count < LIMITS.account; count++) await change('wrong', another)
  let isAway = true
  onChangesOf(t, database, 'users', async () => { if (isAway) throw new StoreUnavailableError('Nothing was changed.') })
  for (let count = 0; count < 3; count++) t.equal((await change(password, another)).statusCode, 503)
  isAway = false
  t.equal((await change(password, another)).statusCode, 204)
  t.equal((await change('wrong', password)).statusCode, 422)
})

t.test('a password that an administrator sets lifts a lock and ends all logins', async (t) => {
  const { send, logIn, database, login, refresh } = await alice(t)
  for (let count = 0; count <= LIMITS.account; count++) await logIn('alice', { password: 'wrong' })
  t.equal((await logIn('alice')).statusCode, 429)
  const admin = forge({ claims: { scope: 'students:read students:write users:read users:write' } })
  t.equal((await send('PUT', '/users/alice', admin, { password: another })).statusCode, 200)
  t.equal(await database.collection('refresh_tokens').countDocuments({}), 0)
  t.equal((await refresh(login.refresh_token)).statusCode, 400)
  t.equal((await logIn('alice', { password: another })).statusCode, 200)
})

t.test('of two who change one password at once, the second has a wrong one', async (t) => {
  const stored = { username: 'alice', hashed_password: await hashPassword(password) }
  const users = { get: async () => stored, list: async () => [], create: async () => false, update: async () => false, delete: async () => false }
  t.equal(await changePassword(users, 'alice', password, another), undefined)
})

t.test('a disabled or deleted user changes no password', async (t) => {
  const { change, users } = await alice(t)
  await users.findOneAndUpdate({ _id: documentId('alice') }, { $set: { disabled: true } })
  t.equal((await change(password, another)).statusCode, 401)
  await users.deleteOne({ _id: documentId('alice') })
  t.equal((await change(password, another)).statusCode, 401)
})

t.test('in a host it is below the prefix', async (t) => {
  const host = await buildHost(t)
  const database = newDatabase(t)
  await host.register(studentCourseApi, { prefix, client, database, auth: { keys: [key] } })
  await client.db(database).collection<{ _id: string }>('users').insertOne({ _id: documentId('alice'), hashed_password: await hashPassword(password) } as { _id: string })
  const headers = { authorization: `Bearer ${forge({ claims: { sub: 'alice', scope: '' } })}` }
  const answer = await host.inject({ method: 'PUT', url: `${prefix}${path}`, headers, payload: { current_password: password, new_password: another } })
  t.equal(answer.statusCode, 204)
})
