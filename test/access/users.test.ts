import t from 'tap'
import type { UserStore } from '../../app.js'
import { meets } from '../../lib/users/user-store.js'
import { SCOPES, type StoredUser } from '../../schemas/user.js'
import { forge, newcomer, secured } from './secured.js'

t.test('everybody may read their own profile', async (t) => {
  const { addUser, send } = await secured(t)
  await addUser('bob', { scopes: ['users:write', 'of another application'], email: 'bob@example.com' })
  const token = forge({ claims: { sub: 'bob', scope: '' } })
  const profile = { username: 'bob', email: 'bob@example.com', full_name: null, disabled: false, scopes: ['users:write'] }
  t.strictSame((await send('GET', '/users/me', token)).json(), profile)
  t.strictSame((await send('GET', '/users/bob', token)).json(), profile)
  t.equal((await send('HEAD', '/users/me', token)).statusCode, 200)
  t.equal((await send('GET', '/users/me')).statusCode, 401)
  t.equal((await send('GET', '/users/me', forge({ claims: { sub: 'gone' } }))).statusCode, 404)
})

t.test('without users:read another\'s profile is 403, whether there is one or not', async (t) => {
  const { addUser, send } = await secured(t)
  await addUser('bob')
  const token = forge({ claims: { scope: 'students:read students:write users:write' } })
  const [there, notThere] = [await send('GET', '/users/bob', token), await send('GET', '/users/nobody', token)]
  t.equal(there.statusCode, 403)
  t.equal(there.body.replaceAll('bob', 'nobody'), notThere.body)
  t.strictSame({ ...there.headers, 'content-length': '', date: '' }, { ...notThere.headers, 'content-length': '', date: '' })
  t.equal((await send('GET', '/users/nobody', forge({ claims: { scope: 'users:read' } }))).statusCode, 404)
})

t.test('a user is created, and can log in', async (t) => {
  const { send, logIn, users } = await secured(t)
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const answer = await send('POST', '/users/', token, { ...newcomer, email: 'new@example.com', full_name: 'New Comer', scopes: ['students:read'] })
  t.equal(answer.statusCode, 201)
  t.equal(answer.headers.location, '/users/newcomer')
  t.strictSame(answer.json(), { username: 'newcomer', email: 'new@example.com', full_name: 'New Comer', disabled: false, scopes: ['students:read'] })
  t.match(await users.findOne({ _id: 'userprofile::newcomer' }), {
    type: 'userprofile', username: 'newcomer', disabled: false, scopes: ['students:read'], hashed_password: /^\$argon2id\$/
  })
  t.equal((await logIn('newcomer', { password: newcomer.password })).json().scope, 'students:read')
  const again = await send('POST', '/users/', token, { ...newcomer, email: 'other@example.com' })
  t.equal(again.statusCode, 409)
  t.match(again.json(), { detail: 'A record with this username already exists.' })
  t.equal((await users.findOne({ _id: 'userprofile::newcomer' }))?.email, 'new@example.com')
})

t.test('a user is changed by the given fields alone', async (t) => {
  const { addUser, send, users } = await secured(t)
  const before = await addUser('bob', { scopes: ['students:read'], email: 'bob@example.com', full_name: 'Bob' })
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const answer = await send('PUT', '/users/bob', token, { full_name: 'Robert', email: null, password: null, scopes: null, disabled: null })
  t.strictSame(answer.json(), { username: 'bob', email: 'bob@example.com', full_name: 'Robert', disabled: false, scopes: ['students:read'] })
  t.match(await users.findOne({ _id: 'userprofile::bob' }), { ...before, full_name: 'Robert' })
  t.equal((await send('PUT', '/users/bob', token, {})).statusCode, 200)
  t.equal((await send('PUT', '/users/bob', token, { disabled: true, scopes: ['users:read'] })).json().disabled, true)
  t.match(await users.findOne({ _id: 'userprofile::bob' }), { disabled: true, scopes: ['users:read'], hashed_password: before.hashed_password })
  t.equal((await send('PUT', '/users/nobody', token, { disabled: true })).statusCode, 404)
})

t.test('a body for a user is checked, all faults at once', async (t) => {
  const { addUser, send } = await secured(t)
  await addUser('bob')
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const wrong = { username: 'Me!', password: 'short', email: 'x', full_name: '', disabled: 'no', scopes: ['everything', 'everything'] }
  const pointers = (answer: { json(): { errors: { pointer: string }[] } }) => [...new Set(answer.json().errors.map(({ pointer }) => pointer))].sort()
  const created = await send('POST', '/users/', token, wrong)
  t.equal(created.statusCode, 422)
  t.strictSame(pointers(created), ['/disabled', '/email', '/full_name', '/password', '/scopes', '/scopes/0', '/scopes/1', '/username'])
  const changed = await send('PUT', '/users/bob', token, wrong)
  t.strictSame(pointers(changed), ['/disabled', '/email', '/full_name', '/password', '/scopes', '/scopes/0', '/scopes/1'])
  t.strictSame(pointers(await send('POST', '/users/', token, {})), ['/password', '/username'])
  t.equal((await send('POST', '/users/', token, { ...newcomer, username: 'me' })).statusCode, 422)
})

t.test('nobody grants a scope that they do not hold, nor takes over a user who holds it', async (t) => {
  const { addUser, send, users } = await secured(t)
  const before = await addUser('admin', { scopes: ['users:write', 'students:write'] })
  const token = forge({ claims: { scope: 'users:write students:read' } })
  const create = (scopes: string[]) => send('POST', '/users/', token, { ...newcomer, scopes })
  const refused = await create(['students:read', 'students:write'])
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], 'error="insufficient_scope", scope="students:write"')
  t.equal(await users.findOne({ _id: 'userprofile::newcomer' }), null)
  t.equal((await create(['students:read', 'users:write'])).statusCode, 201)
  t.equal((await send('PUT', '/users/newcomer', token, { scopes: ['users:read'] })).statusCode, 403)
  t.equal((await send('PUT', '/users/newcomer', token, { scopes: [] })).statusCode, 200)
  for (const body of [{ password: 'battery staple' }, { disabled: true }, { scopes: [] }, {}]) {
    t.equal((await send('PUT', '/users/admin', token, body)).statusCode, 403, JSON.stringify(body))
  }
  t.match(await users.findOne({ _id: 'userprofile::admin' }), before)
  const peer = forge({ claims: { scope: 'users:write students:write' } })
  t.equal((await send('PUT', '/users/admin', peer, { disabled: true })).statusCode, 200)
})

t.test('a user who is granted a scope while a request changes them is not changed by a caller who lacks it', async (t) => {
  const target: StoredUser = { username: 'target', scopes: ['students:read'] }
  let meanwhile = (user: StoredUser | undefined) => user
  const users: UserStore = {
    // what happens between the look at the user and the write
    get: async (username) => username === 'target' ? meanwhile({ ...target }) : { username, scopes: [...SCOPES] },
    list: async () => [],
    create: async () => false,
    update: async (_username, changes, condition = {}) => meets(target, condition) && Boolean(Object.assign(target, changes)),
    delete: async (_username, condition = {}) => meets(target, condition)
  }
  const { send } = await secured(t, { users })
  const token = forge({ claims: { scope: 'users:write students:read' } })
  meanwhile = (user) => {
    target.scopes = ['students:read', 'students:write']
    return user
  }
  const answer = await send('PUT', '/users/target', token, { password: 'battery staple' })
  t.equal(answer.statusCode, 403)
  t.match(answer.headers['www-authenticate'], 'error="insufficient_scope", scope="students:write')
  t.notOk('hashed_password' in target)

  target.scopes = ['students:read']
  meanwhile = (user) => {
    target.scopes = ['students:write']
    return user && { ...user, scopes: ['students:read'] }
  }
  t.equal((await send('PUT', '/users/target', token, { password: 'battery staple' })).statusCode, 403, 'also where it is taken away again')
  t.notOk('hashed_password' in target)
  t.equal((await send('DELETE', '/users/target', token)).statusCode, 403, 'nor removed')
  meanwhile = () => undefined
  t.equal((await send('PUT', '/users/target', token, { disabled: true })).statusCode, 404)
  meanwhile = (user) => user
  target.scopes = ['students:read']
  t.equal((await send('PUT', '/users/target', token, { disabled: true })).statusCode, 200)
  t.equal(target.disabled, true)
  t.equal(target.username, 'target')
  let looks = 0
  users.delete = async () => false
  meanwhile = (user) => looks++ === 0 ? user : undefined
  t.equal((await send('DELETE', '/users/target', token)).statusCode, 404, 'also where somebody else was first')
  t.equal(looks, 2)
})

t.test('a token writes no user once its own user is disabled, gone or without the scope', async (t) => {
  const { addUser, send, users } = await secured(t)
  await addUser('bob', { scopes: [] })
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const write = async () => [
    await send('POST', '/users/', token, { ...newcomer, scopes: ['users:read'] }), await send('PUT', '/users/bob', token, { disabled: false })
  ].map(({ statusCode }) => statusCode)
  const change = (changes: object) => users.findOneAndUpdate({ _id: 'userprofile::caller' }, { $set: changes })
  t.strictSame(await write(), [201, 200])
  await users.deleteOne({ _id: 'userprofile::newcomer' })
  await change({ disabled: true })
  t.strictSame(await write(), [401, 401])
  await change({ disabled: false, scopes: ['users:write'] })
  t.strictSame(await write(), [403, 200], 'nor grants a scope that it has lost')
  await change({ scopes: [] })
  t.strictSame(await write(), [403, 403])
  await users.deleteOne({ _id: 'userprofile::caller' })
  t.strictSame(await write(), [401, 401])
})

t.test('where another index refuses a new user, the name is not to blame', async (t) => {
  const { send, users } = await secured(t)
  const collection = Object.getPrototypeOf(users)
  t.intercept(collection, 'insertOne', {
    value: async () => { throw Object.assign(new Error('E11000'), { code: 11000, keyPattern: { email: 1 } }) }
  })
  const answer = await send('POST', '/users/', forge({ claims: { scope: 'users:write' } }), newcomer)
  t.equal(answer.statusCode, 409)
  t.match(answer.json(), { detail: 'A record with this email already exists.' })
})
