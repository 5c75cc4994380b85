import t from 'tap'
import { documentId, getUser, type UserStore } from '../../lib/users/user-store.js'
import type { StoredUser } from '../../schemas/user.js'
import { build } from '../build.js'

const stored: StoredUser = {
  username: 'johndoe',
  type: 'userprofile',
  email: 'johndoe@example.com',
  full_name: 'John Doe',
  disabled: false,
  hashed_password: '$argon2id$secret',
  scopes: ['students:read']
}

/** A store with one profile. */
const storeOf = (user: StoredUser): UserStore => ({
  get: async (username) => username === user.username ? user : undefined,
  list: async () => [user],
  create: async () => false,
  update: async () => false,
  delete: async () => false
})

t.test('a profile is shown without its type, its password\'s hash and its scopes', async (t) => {
  const { inject } = await build(t, { users: storeOf(stored) })
  const answer = await inject('GET', '/users/johndoe')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { username: 'johndoe', email: 'johndoe@example.com', full_name: 'John Doe', disabled: false })
  t.notMatch(answer.body, /argon2|secret|userprofile|students:read/)
  t.equal((await inject('HEAD', '/users/johndoe')).statusCode, 200)
})

t.test('absent fields and fields of another type are null', async (t) => {
  for (const odd of [{}, { email: 5, full_name: ['x'], disabled: 'no' }, { email: null, full_name: null, disabled: null }]) {
    const { inject } = await build(t, { users: storeOf({ username: 'x', ...odd } as StoredUser) }) // other software's profile
    t.strictSame((await inject('GET', '/users/x')).json(), { username: 'x', email: null, full_name: null, disabled: null })
  }
})

t.test('an unknown user is 404, and says who', async (t) => {
  const { inject } = await build(t)
  const answer = await inject('GET', '/users/nobody')
  t.equal(answer.statusCode, 404)
  t.match(answer.json(), { title: 'Not Found', detail: 'User nobody not found', instance: '/users/nobody' })
})

t.test('a name against the rules is 422', async (t) => {
  const { inject } = await build(t)
  for (const name of ['me', 'Alice', 'a::b', '$ne', '__proto__', 'аlice', 'a%20b', '.a', 'x'.repeat(65), '%7B%22$ne%22:1%7D']) {
    const answer = await inject('GET', `/users/${name}`)
    t.equal(answer.statusCode, 422, name)
    t.equal(answer.json().errors[0].pointer, '/username')
  }
})

t.test('users can be read and nothing else', async (t) => {
  const { inject } = await build(t)
  t.equal((await inject('POST', '/users/', stored)).statusCode, 405)
  t.equal((await inject('PUT', '/users/johndoe', stored)).statusCode, 405)
  t.equal((await inject('DELETE', '/users/johndoe')).headers.allow, 'GET, HEAD, OPTIONS')
})

t.test('without a store for users there is no such route', async (t) => {
  const students = { create: async () => ({ id: '' }), list: async () => [], find: async () => undefined, update: async () => undefined, delete: async () => false }
  const { inject } = await build(t, { client: undefined, students })
  t.equal((await inject('GET', '/users/johndoe')).statusCode, 404)
  t.equal((await inject('GET', '/openapi.json')).json().paths['/users/{username}'], undefined)
})

t.test('getUser needs no HTTP, and a document id has two parts', async (t) => {
  t.equal(documentId('johndoe'), 'userprofile::johndoe')
  t.equal(await getUser(storeOf(stored), 'nobody'), undefined)
  t.match(await getUser(storeOf(stored), 'johndoe'), { full_name: 'John Doe' })
})
