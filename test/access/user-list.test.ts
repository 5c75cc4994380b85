import t from 'tap'
import { documentId } from '../../lib/users/user-store.js'
import { SCOPES, type StoredUser } from '../../schemas/user.js'
import { forge, secured } from './secured.js'

const reader = () => forge({ claims: { scope: 'users:read' } })

/** Five users beside the one who asks, and what a list of them says. */
async function listed (...[t, options]: Parameters<typeof secured>) {
  const built = await secured(t, options)
  const { users, send } = built
  await users.insertMany([
    { email: 'a@example.com', full_name: 'Alice A', disabled: false, scopes: ['students:read'] },
    { email: 'b@example.com', full_name: 'Bob B', disabled: true },
    { email: 'c@example.org', full_name: 'alice c', disabled: false },
    { hashed_password: 'secret', password_changed_at: 5, disabled: 5, scopes: 'students:read' } as object as StoredUser,
    {}
  ].map((user, index) => ({ _id: documentId(`user${index}`), username: `user${index}`, ...user })))
  const ask = async (query = '') => send('GET', `/users/${query}`, reader())
  const names = async (query: string) => (await ask(query)).json().users.map(({ username }: StoredUser) => username)
  return { ...built, ask, names }
}

const all = ['caller', 'user0', 'user1', 'user2', 'user3', 'user4']

t.test('users are listed as their profiles are shown, with their scopes', async (t) => {
  const { ask, users } = await listed(t)
  await users.insertMany([{ _id: 'other::x', username: 'x' }, { _id: documentId('nameless') } as never])
  const answer = await ask()
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), {
    users: [
      { username: 'caller', email: null, full_name: null, disabled: null, scopes: SCOPES },
      { username: 'nameless', email: null, full_name: null, disabled: null, scopes: [] },
      { username: 'user0', email: 'a@example.com', full_name: 'Alice A', disabled: false, scopes: ['students:read'] },
      { username: 'user1', email: 'b@example.com', full_name: 'Bob B', disabled: true, scopes: [] },
      { username: 'user2', email: 'c@example.org', full_name: 'alice c', disabled: false, scopes: [] },
      { username: 'user3', email: null, full_name: null, disabled: null, scopes: [] },
      { username: 'user4', email: null, full_name: null, disabled: null, scopes: [] }
    ]
  })
})

t.test('the list has the grammar of the students', async (t) => {
  const { ask, names } = await listed(t)
  for (const [query, expected] of [
    ['?username=user1', ['user1']],
    ['?username=ser', []],
    ['?username.in=user1&username.in=user3', ['user1', 'user3']],
    ['?username.ne=user1', all.filter((name) => name !== 'user1')],
    ['?username.gte=user1&username.lt=user3', ['user1', 'user2']],
    ['?username.prefix=user', all.slice(1)],
    ['?username.prefix=profile', []],
    ['?username.contains=ser', all.slice(1)],
    ['?username.contains=profile', []],
    ['?username.exists=false', []],
    ['?email=b@example.com', ['user1']],
    ['?email.exists=true', ['user0', 'user1', 'user2']],
    ['?full_name.icontains=ALICE', ['user0', 'user2']],
    ['?disabled=true', ['user1']],
    ['?sort=-username', all.toReversed()],
    ['?sort=email&email.exists=true', ['user0', 'user1', 'user2']],
    ['?sort=-email&limit=2', ['user2', 'user1']],
    ['?offset=2&limit=2', ['user1', 'user2']]
  ] as const) t.strictSame(await names(query), expected, query)
  const some = await ask('?fields=email&username=user0&count=exact')
  t.strictSame(some.json(), { users: [{ username: 'user0', email: 'a@example.com' }], total: { value: 1, relation: 'eq' } })
  t.strictSame((await ask('?fields=scopes,username&username=user0')).json().users, [{ username: 'user0', scopes: ['students:read'] }])
  t.equal((await ask('?limit=1&count=exact')).json().total.value, all.length, 'what is no profile is not counted')
  for (const [query, fault] of [
    ['?usernam=x', { parameter: 'usernam', detail: 'is unknown; did you mean username?' }],
    ['?id=x', { parameter: 'id', detail: 'is unknown' }],
    ['?hashed_password.exists=true', { parameter: 'hashed_password.exists', detail: /^is unknown/ }],
    ['?created.gt=2026-01-01T00:00:00Z', { parameter: 'created.gt' }],
    ['?fields=hashed_password', { parameter: 'fields' }],
    ['?sort=scopes', { parameter: 'sort' }],
    ['?disabled=maybe', { parameter: 'disabled', detail: 'must be true or false' }],
    ['?cursor=x', { parameter: 'cursor' }]
  ] as const) {
    const answer = await ask(query)
    t.equal(answer.statusCode, 422, query)
    t.match(answer.json().errors, [fault], query)
  }
})

t.test('pages lead on and back, in any order, while users come and go', async (t) => {
  const { ask, users } = await listed(t)
  for (const query of ['limit=2', 'limit=4&sort=-username', 'limit=2&sort=email', 'limit=3&sort=-full_name&username.prefix=user']) {
    const seen: string[] = []
    let path = `?${query}`
    for (;;) {
      const page = await ask(path)
      const { users: found, next } = page.json()
      seen.push(...found.map(({ username }: StoredUser) => username))
      t.match(page.headers.link, new RegExp(`<${next ? '[^>]+>; rel="next"' : '/users/'}`))
      if (!next) break
      t.match(next, /^\/users\/\?/)
      path = next.slice('/users/'.length)
      await users.insertOne({ _id: documentId(`a${seen.length}${query.length}`), username: 'a' })
    }
    t.strictSame(all.slice(1).filter((name) => !seen.includes(name)), [], query)
    t.equal(new Set(seen).size, seen.length)
    await users.deleteMany({ username: 'a' })
  }
  const last = /<([^>]+)>; rel="last"/.exec(String((await ask('?limit=4')).headers.link))?.[1] ?? ''
  t.strictSame((await ask(last.slice('/users/'.length))).json().users.map(({ username }: StoredUser) => username), all.slice(2))
})

t.test('it needs users:read, and access control', async (t) => {
  const { send, app } = await listed(t)
  t.equal((await send('GET', '/users/')).statusCode, 401)
  t.equal((await send('GET', '/users', forge({ claims: { scope: 'users:write' } }))).statusCode, 403)
  t.equal((await send('HEAD', '/users', reader())).statusCode, 200)
  t.equal((await app.inject({ method: 'PATCH', url: '/users/', headers: { authorization: `Bearer ${reader()}` } })).headers.allow, 'GET, HEAD, POST, OPTIONS')
})

t.test('a store without pages is listed whole, by name, and takes no parameters', async (t) => {
  const stored: StoredUser[] = Array.from({ length: 1_001 }, (_, index) => ({ username: `user${1_000 + (index * 8) % 1_001}`, hashed_password: 'secret' }))
  const users = { get: async () => undefined, list: async () => [...stored], create: async () => false, update: async () => false, delete: async () => false }
  const { send } = await secured(t, { users })
  const answer = await send('GET', '/users/', reader())
  t.strictSame(answer.json().users.map(({ username }: StoredUser) => username), Array.from({ length: 1_000 }, (_, index) => `user${1_000 + index}`))
  t.strictSame(answer.json().users[0], { username: 'user1000', email: null, full_name: null, disabled: null, scopes: [] })
  t.notOk(answer.headers.link)
  t.equal((await send('GET', '/users/?limit=1', reader())).statusCode, 422)
})
