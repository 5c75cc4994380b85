import { hash } from '@node-rs/argon2'
import t from 'tap'
import { login } from '../../lib/access/login.js'
import { GRACE_MS } from '../../lib/access/refresh-tokens.js'
import { forge, key, password, secured } from './secured.js'

const another = 'another key of at least thirty-two bytes'.replaceAll(' ', '-')

t.test('a login answers as RFC 6749 section 5.1 says', async (t) => {
  const { addUser, logIn, send } = await secured(t)
  await addUser('alice', { scopes: ['students:read', 'users:read'] })
  const answer = await logIn('alice')
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal(answer.headers.pragma, 'no-cache')
  t.match(answer.headers['content-type'], 'application/json')
  const { access_token: token, refresh_token: refreshToken, ...rest } = answer.json()
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'students:read users:read' })
  t.match(refreshToken, /^[\w-]{22}\.[\w-]{43}$/)
  const [header, claims] = token.split('.').slice(0, 2).map((part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  t.match(header, { alg: 'HS256', typ: 'at+jwt', kid: /^[\w-]{16}$/ })
  t.match(claims, { iss: 'student-course-api', aud: 'student-course-api', sub: 'alice', scope: 'students:read users:read' })
  t.equal(claims.exp - claims.iat, 900)
  t.equal((await send('GET', '/students/', token)).statusCode, 200)
})

t.test('a login may ask for fewer scopes, and not for others', async (t) => {
  const { addUser, logIn, refresh, send } = await secured(t)
  await addUser('alice', { scopes: ['students:read', 'students:write'] })
  const narrow = (await logIn('alice', { scope: 'students:read' })).json()
  t.equal(narrow.scope, 'students:read')
  t.equal((await send('POST', '/students/', narrow.access_token, {})).statusCode, 403)
  t.equal((await refresh(narrow.refresh_token, { scope: 'students:write' })).json().error, 'invalid_scope', 'nor by a refresh')
  t.equal((await refresh(narrow.refresh_token)).json().scope, 'students:read', 'which has not used up the token')
  t.equal((await logIn('alice', { scope: 'students:read users:read students:write' })).json().scope, 'students:read students:write', 'of those asked for, what is held')
  for (const scope of ['users:write', 'users:write users:read', 'everything', 'students:read everything', ' ', 'students:read ']) {
    const answer = await logIn('alice', { scope })
    t.equal(answer.statusCode, 400)
    t.equal(answer.json().error, 'invalid_scope', scope)
  }
})

t.test('a login that can\'t be is told as RFC 6749 section 5.2 says', async (t) => {
  const { app, addUser, form, logIn } = await secured(t)
  await addUser('alice')
  const cases: [Record<string, string> | string, string][] = [
    [{ username: 'alice', password }, 'invalid_request'],
    [{ grant_type: '', username: 'alice', password }, 'invalid_request'],
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ grant_type: 'password', username: 'alice' }, 'invalid_request'],
    [{ grant_type: 'password', username: 'alice', password: '' }, 'invalid_request'],
    [{ grant_type: 'password', password }, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, 'invalid_request'],
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
    [`grant_type=password&username=alice&username=bob&password=${password}`, 'invalid_request'],
    [{ grant_type: 'password', username: 'alice', password: 'wrong' }, 'invalid_grant'],
    ['', 'invalid_request']
  ]
  for (const [parameters, error] of cases) {
    const answer = await form('/token', parameters)
    t.equal(answer.statusCode, 400)
    t.strictSame(Object.keys(answer.json()), ['error', 'error_description'])
    t.equal(answer.json().error, error, JSON.stringify(parameters))
    t.equal(answer.headers['cache-control'], 'no-store')
  }
  const payload = JSON.stringify({ grant_type: 'password', username: 'alice', password })
  const asJson = await app.inject({ method: 'POST', url: '/token', headers: { 'content-type': 'application/json' }, payload })
  t.equal(asJson.statusCode, 400)
  t.equal(asJson.json().error, 'invalid_request', 'JSON is no form')
  t.match((await form('/token', { grant_type: 'password', username: 'x'.repeat(8_192), password })).json(),
    { error: 'invalid_request', error_description: 'Request body is too large' })
  const nothing = await app.inject({ method: 'POST', url: '/token' })
  t.match(nothing.json(), { error: 'invalid_request', error_description: /must be application\/x-www-form-urlencoded/ })
  for (const headers of [{ 'content-encoding': 'gzip' }, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' }]) {
    const answer = await app.inject({
      method: 'POST', url: '/token', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, payload: `grant_type=password&username=alice&password=${password}`
    })
    t.match(answer.json(), { error: 'invalid_request', error_description: /in UTF-8, without a content coding/ })
  }
  t.equal((await logIn('alice')).statusCode, 200)
  t.equal((await app.inject({ url: '/token' })).statusCode, 405)
})

t.test('client credentials are ignored, as Swagger UI sends them empty, and so are unknown parameters', async (t) => {
  const { app, addUser } = await secured(t)
  await addUser('alice')
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic Og==' },
    payload: new URLSearchParams({ grant_type: 'password', username: 'alice', password, client_id: 'x', client_secret: 'y' }) + '&other=1&other=2'
  })
  t.equal(statusCode, 200)
})

t.test('a refresh replaces the refresh token', async (t) => {
  const { addUser, logIn, refresh, send, database } = await secured(t)
  await addUser('alice')
  const first = (await logIn('alice')).json()
  const second = (await refresh(first.refresh_token)).json()
  t.not(second.refresh_token, first.refresh_token)
  t.equal(second.scope, first.scope)
  t.equal((await send('GET', '/students/', second.access_token)).statusCode, 200)
  t.equal((await refresh(second.refresh_token, { scope: 'students:read' })).json().scope, 'students:read')
  const stored = JSON.stringify(await database.collection('refresh_tokens').find({}).toArray())
  t.notMatch(stored, first.refresh_token.split('.')[1])
  t.notMatch(stored, second.refresh_token.split('.')[1], 'stored by its hash')
})

t.test('the second use of a refresh token beyond the grace revokes its family, and no other', async (t) => {
  const clock = { now: Date.now() }
  t.intercept(Date, 'now', { value: () => clock.now })
  const { addUser, logIn, refresh } = await secured(t)
  await addUser('alice')
  const [stolen, other] = [(await logIn('alice')).json(), (await logIn('alice')).json()]
  const next = (await refresh(stolen.refresh_token)).json()
  clock.now += GRACE_MS + 1
  const reused = await refresh(stolen.refresh_token)
  t.equal(reused.statusCode, 400)
  t.equal(reused.json().error, 'invalid_grant')
  t.equal((await refresh(next.refresh_token)).json().error, 'invalid_grant', 'the newest is revoked with it')
  t.equal((await refresh(other.refresh_token)).statusCode, 200)
})

t.test('within the grace the same refresh token gets the same next one, however many use it at once', async (t) => {
  const clock = { now: Date.now() }
  t.intercept(Date, 'now', { value: () => clock.now })
  const { addUser, logIn, refresh, send } = await secured(t)
  await addUser('alice')
  const { refresh_token: token } = (await logIn('alice')).json()
  const answers = (await Promise.all(Array.from({ length: 4 }, () => refresh(token)))).map((answer) => answer.json())
  clock.now += GRACE_MS
  const late = (await refresh(token)).json()
  t.equal(new Set([...answers, late].map((answer) => answer.refresh_token)).size, 1)
  for (const { access_token: access } of answers) t.equal((await send('GET', '/students/', access)).statusCode, 200)
  const next = (await refresh(late.refresh_token)).json()
  t.match(next.refresh_token, /^[\w-]{22}\.[\w-]{43}$/)
  t.equal((await refresh(token)).json().error, 'invalid_grant', 'two refreshes ago is not a moment ago')
  t.equal((await refresh(next.refresh_token)).json().error, 'invalid_grant', 'and ends the family')
})

t.test('a process with a new key first answers a second use as the one with the old key did', async (t) => {
  const before = await secured(t, { auth: { keys: [key] } })
  await before.addUser('alice')
  const { refresh_token: token } = (await before.logIn('alice')).json()
  const { refresh_token: next } = (await before.refresh(token)).json()
  const { databaseName: database } = before.database
  const during = await secured(t, { auth: { keys: [another, key] }, database })
  t.equal((await during.refresh(token)).json().refresh_token, next)
  const after = await secured(t, { auth: { keys: [another] }, database })
  t.equal((await after.refresh(token)).json().error, 'invalid_grant', 'without that key nobody can tell the next one')
})

t.test('a disabled user is refused at once, and so is one who is gone', async (t) => {
  const { addUser, logIn, refresh, users } = await secured(t)
  await addUser('alice')
  await addUser('bob')
  const [alice, again, bob] = [(await logIn('alice')).json(), (await logIn('alice')).json(), (await logIn('bob')).json()]
  t.equal((await refresh(again.refresh_token)).statusCode, 200)
  await users.findOneAndUpdate({ _id: 'userprofile::alice' }, { $set: { disabled: true } })
  t.equal((await refresh(alice.refresh_token)).json().error, 'invalid_grant')
  t.equal((await logIn('alice')).json().error, 'invalid_grant')
  await users.findOneAndUpdate({ _id: 'userprofile::alice' }, { $set: { disabled: false } })
  t.equal((await refresh(alice.refresh_token)).json().error, 'invalid_grant', 'the family has ended')
  t.equal((await logIn('alice')).statusCode, 200)
  await users.deleteOne({ _id: 'userprofile::bob' })
  t.equal((await refresh(bob.refresh_token)).json().error, 'invalid_grant')
})

t.test('scopes that a user has lost are gone from the next refresh', async (t) => {
  const { addUser, logIn, refresh, users } = await secured(t)
  await addUser('alice')
  const { refresh_token: token } = (await logIn('alice')).json()
  await users.findOneAndUpdate({ _id: 'userprofile::alice' }, { $set: { scopes: ['students:read', 'nonsense'] } })
  t.equal((await refresh(token)).json().scope, 'students:read')
})

t.test('a new password ends the logins by the old one', async (t) => {
  const { addUser, logIn, refresh, send, tokenOf } = await secured(t)
  await addUser('alice')
  await addUser('boss')
  const { refresh_token: token } = (await logIn('alice')).json()
  t.equal((await send('PUT', '/users/alice', await tokenOf('boss'), { password: 'another horse' })).statusCode, 200)
  t.equal((await refresh(token)).json().error, 'invalid_grant')
  t.equal((await logIn('alice')).json().error, 'invalid_grant')
  const { refresh_token: newToken } = (await logIn('alice', { password: 'another horse' })).json()
  t.equal((await refresh(newToken)).statusCode, 200)
})

t.test('revoking ends a family; a token that is not known is answered alike (RFC 7009)', async (t) => {
  const { addUser, form, logIn, refresh, tokenOf } = await secured(t)
  await addUser('alice')
  const { refresh_token: token } = (await logIn('alice')).json()
  const { refresh_token: newest } = (await refresh(token)).json()
  for (const [sent, hint] of [[token, 'refresh_token'], [token, 'access_token'], ['unknown', '']]) {
    const answer = await form('/revoke', { token: sent, token_type_hint: String(hint) })
    t.equal(answer.statusCode, 200)
    t.equal(answer.body, '')
    t.equal(answer.headers['cache-control'], 'no-store')
  }
  t.equal((await refresh(newest)).json().error, 'invalid_grant', 'an older token ends its family too')
  t.equal((await form('/revoke', {})).json().error, 'invalid_request')
  const access = await form('/revoke', { token: await tokenOf('alice') })
  t.equal(access.statusCode, 400)
  t.equal(access.json().error, 'unsupported_token_type')
})

t.test('the first key signs and all verify, until a key is taken out', async (t) => {
  const before = await secured(t, { auth: { keys: [key] } })
  await before.addUser('alice')
  const old = await before.tokenOf('alice')
  const during = await secured(t, { auth: { keys: [another, key] } })
  await during.addUser('alice')
  const fresh = await during.tokenOf('alice')
  t.equal((await during.send('GET', '/students/', old)).statusCode, 200)
  t.equal((await during.send('GET', '/students/', fresh)).statusCode, 200)
  const after = await secured(t, { auth: { keys: [another] } })
  t.equal((await after.send('GET', '/students/', fresh)).statusCode, 200)
  t.equal((await after.send('GET', '/students/', old)).statusCode, 401)
})

t.test('issuer and audience can be set', async (t) => {
  const { send } = await secured(t, { auth: { keys: [key], issuer: 'https://college.example', audience: 'students' } })
  t.equal((await send('GET', '/students/', forge())).statusCode, 401)
  const claims = { iss: 'https://college.example', aud: 'students' }
  t.equal((await send('GET', '/students/', forge({ claims }))).statusCode, 200)
})

t.test('a hash with old parameters is replaced at login, and only then', async (t) => {
  const { addUser, logIn, users } = await secured(t)
  const old = await hash(password, { memoryCost: 8_192, timeCost: 2, parallelism: 1 })
  await addUser('alice', { hashed_password: old })
  await logIn('alice', { password: 'wrong' })
  t.equal((await users.findOne({ _id: 'userprofile::alice' }))?.hashed_password, old)
  t.equal((await logIn('alice')).statusCode, 200)
  const replaced = (await users.findOne({ _id: 'userprofile::alice' }))?.hashed_password
  t.match(replaced, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal((await logIn('alice')).statusCode, 200)
  t.equal((await users.findOne({ _id: 'userprofile::alice' }))?.hashed_password, replaced, 'and is left alone from then on')
})

t.test('a stored hash that is not argon2id is a failed login', async (t) => {
  const { addUser, logIn } = await secured(t)
  const hashes = [
    'fakehashedsecret', password, '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW', '', null, 7, { $ne: '' },
    '$argon2id$v=19$m=19456,t=2,p=1$broken', await hash(password, { algorithm: 0 })
  ]
  for (const [index, hashed] of hashes.entries()) {
    await addUser(`user${index}`, { hashed_password: hashed as string })
    const answer = await logIn(`user${index}`)
    t.equal(answer.statusCode, 400)
    t.equal(answer.json().error, 'invalid_grant', String(hashed))
  }
})

t.test('scopes that are stored as text are none', async (t) => {
  const { addUser, logIn } = await secured(t)
  await addUser('alice', { scopes: 'students:read users:write' as never })
  t.equal((await logIn('alice')).json().scope, '')
})

t.test('a login while the password changes does not outlive the change', async (t) => {
  const { addUser, logIn, refresh, users } = await secured(t)
  await addUser('alice')
  const { refresh_token: token } = (await logIn('alice')).json()
  // by a clock that is behind
  await users.findOneAndUpdate({ _id: 'userprofile::alice' }, { $set: { password_changed_at: 1 } })
  t.equal((await refresh(token)).json().error, 'invalid_grant')
})

t.test('a login replaces an old hash only where it is the one that it checked', async (t) => {
  const old = await hash(password, { memoryCost: 8_192, timeCost: 2, parallelism: 1 })
  const updates: unknown[] = []
  const update = async (...given: unknown[]) => updates.push(given) > 0
  const users = { get: async () => ({ username: 'alice', hashed_password: old }), list: async () => [], create: async () => false, update, delete: async () => false }
  await login(users, 'alice', password)
  t.match(updates, [['alice', { hashed_password: /m=19456,/ }, { hashed_password: old }]])
})

t.test('what says neither no nor nothing about disabled counts as disabled', async (t) => {
  const { addUser, logIn } = await secured(t)
  for (const [index, disabled] of [true, 'yes', 1].entries()) {
    await addUser(`locked${index}`, { disabled: disabled as boolean })
    t.equal((await logIn(`locked${index}`)).json().error, 'invalid_grant')
  }
  for (const [index, disabled] of [false, null].entries()) {
    await addUser(`open${index}`, { disabled })
    t.equal((await logIn(`open${index}`)).statusCode, 200)
  }
})
