import { createHmac, generateKeyPairSync } from 'node:crypto'
import { Writable } from 'node:stream'
import t from 'tap'
import { loggerOptions } from '../../lib/server/logger.js'
import { SCOPES } from '../../schemas/user.js'
import { forge, key, password, secured } from './secured.js'

const now = Math.floor(Date.now() / 1000)
const another = 'another key of at least thirty-two bytes'

/** The token with one of its three parts replaced. */
function tamper (token: string, part: 0 | 1 | 2, replace: (text: string) => string): string {
  const parts = token.split('.')
  parts[part] = replace(String(parts[part]))
  return parts.join('.')
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decoded = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())
const withHeader = (changes: object) => tamper(forge(), 0, (text) => encoded({ ...decoded(text), ...changes }))

/** An RSA key pair of the attacker, whose tokens name our key. */
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
})

/** Tokens that are refused. Each is `forge()`, which is accepted, but for the one thing that its name says. */
const forgeries: Record<string, () => string> = {
  'alg none without a signature': () => tamper(withHeader({ alg: 'none' }), 2, () => ''),
  'alg none with the old signature': () => withHeader({ alg: 'none' }),
  'alg None': () => tamper(withHeader({ alg: 'None' }), 2, () => ''),
  'no signature': () => tamper(forge(), 2, () => ''),
  'HS/RS confusion: RS256, signed by a key pair of the attacker': () => forge({ algorithm: 'RS256', key: privateKey }),
  'HS/RS confusion: HS256, signed with a public key as the secret': () => forge({ key: publicKey }),
  'another algorithm of the same key': () => forge({ algorithm: 'HS512' }),
  'signed with another key that claims our kid': () => forge({ key: another }),
  'an unknown kid': () => forge({ header: { kid: 'unknown' } }),
  'no kid': () => forge({ header: { kid: undefined } }),
  'a kid that is a property of every object': () => forge({ header: { kid: 'constructor' } }),
  'a key of its own in the header': () => forge({ key: another, header: { jwk: { kty: 'oct', k: Buffer.from(another).toString('base64url') } } }),
  'a critical extension that is not known': () => forge({ header: { crit: ['exp2'], exp2: 1 } }),
  'another type of JWT under our key': () => forge({ header: { typ: 'JWT' } }),
  'expired, and signed with another key': () => forge({ key: another, claims: { iat: now - 1000, exp: now - 1 } }),
  'not yet valid': () => forge({ claims: { nbf: now + 600 } }),
  'without an end': () => forge({ claims: { exp: undefined } }),
  'an end that is text': () => forge({ claims: { exp: String(now + 60) } }),
  'another audience': () => forge({ claims: { aud: 'another-api' } }),
  'no audience': () => forge({ claims: { aud: undefined } }),
  'another issuer': () => forge({ claims: { iss: 'https://evil.example' } }),
  'no issuer': () => forge({ claims: { iss: undefined } }),
  'no subject': () => forge({ claims: { sub: undefined } }),
  'a scope that is an object': () => forge({ claims: { scope: { $ne: '' } } }),
  'a scope that is a list': () => forge({ claims: { scope: ['students:read'] } }),
  'claims changed after signing': () => tamper(forge(), 1, (text) => encoded({ ...decoded(text), sub: 'admin' })),
  'a signature changed in its middle': () => tamper(forge(), 2, (text) => text.slice(0, 20) + (text[20] === 'A' ? 'B' : 'A') + text.slice(21)),
  'a signature cut short': () => tamper(forge(), 2, (text) => text.slice(0, -4)),
  'a signature over claims alone': () => tamper(forge(), 2, () => createHmac('sha256', key).update('{}').digest('base64url')),
  'two tokens': () => `${forge()} ${forge()}`,
  'four parts': () => `${forge()}.x`,
  'no dots': () => 'x'.repeat(100),
  nothing: () => '',
  'an oversized token': () => forge({ claims: { padding: 'x'.repeat(5_000) } })
}

t.test('a forged token is refused, and nothing of why is told', async (t) => {
  const { app } = await secured(t)
  const get = (token: string) => app.inject({ url: '/students/', headers: { authorization: `Bearer ${token}` } })
  for (const [name, make] of Object.entries(forgeries)) {
    t.equal((await get(forge())).statusCode, 200, 'the token without the attack')
    const answer = await get(make())
    t.equal(answer.statusCode, 401, name)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="Student Course API", error="invalid_token", error_description="The access token is invalid."', name)
    t.equal(answer.json().detail, 'The access token is invalid.', name)
  }
})

t.test('a token of ours that has expired is told apart from others, so that a client knows that a new one helps', async (t) => {
  const { send } = await secured(t)
  for (const url of ['/students/', '/users/me']) {
    const answer = await send('GET', url, forge({ claims: { iat: now - 1000, exp: now - 1 } }))
    t.equal(answer.statusCode, 401)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="Student Course API", error="invalid_token", error_description="The access token has expired."')
    t.match(answer.json(), { title: 'Unauthorized', detail: 'The access token has expired.' })
  }
})

t.test('a token is taken from the header Authorization, and from nowhere else', async (t) => {
  const { app, form } = await secured(t)
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const get = (url: string, headers = {}) => app.inject({ url, headers })
  t.equal((await get('/students/', { authorization: `Bearer ${token}` })).statusCode, 200)
  t.equal((await get('/students/', { authorization: `bearer  ${token}` })).statusCode, 200, 'the scheme in any case')
  const elsewhere = [
    await get(`/students/?access_token=${token}`),
    await get('/students/', { cookie: `access_token=${token}` }),
    await get('/students/', { 'x-access-token': token }),
    await get('/students/', { authorization: token }),
    await get('/students/', { authorization: `Basic ${token}` }),
    await form('/students/', { access_token: token })
  ]
  for (const answer of elsewhere) {
    t.equal(answer.statusCode, 401)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="Student Course API"')
    t.notOk(answer.body.includes(token), 'nor is it repeated')
  }
})

t.test('operators and objects in place of names and passwords find nobody', async (t) => {
  const { app, addUser, form, send } = await secured(t)
  await addUser('alice')
  const good = { grant_type: 'password', username: 'alice', password }
  t.equal((await form('/token', good)).statusCode, 200, 'the login without the attack')
  const logins: Record<string, string>[] = [
    { grant_type: 'password', 'username[$ne]': '', 'password[$ne]': '' },
    { ...good, username: '{"$ne":""}' },
    { ...good, username: '[object Object]' },
    { ...good, password: '{"$ne":""}' },
    { grant_type: 'refresh_token', refresh_token: '{"$ne":""}' },
    { grant_type: 'refresh_token', 'refresh_token[$ne]': '' }
  ]
  for (const parameters of logins) t.equal((await form('/token', parameters)).statusCode, 400, JSON.stringify(parameters))
  for (const body of [{ ...good, username: { $ne: '' } }, { ...good, password: { $gt: '' } }]) {
    t.equal((await app.inject({ method: 'POST', url: '/token', payload: body })).statusCode, 400, 'as JSON')
  }

  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  t.equal((await send('GET', '/users/alice', token)).statusCode, 200)
  for (const name of ['%7B%22$ne%22:%22%22%7D', '$ne', '[$ne]', '__proto__', 'constructor.prototype']) {
    t.ok([404, 422].includes((await send('GET', `/users/${name}`, token)).statusCode), name)
  }
  const newcomer = { username: 'bob', password: 'battery staple' }
  t.equal((await send('POST', '/users/', token, newcomer)).statusCode, 201)
  for (const changes of [{ username: { $ne: '' } }, { password: { $ne: '' } }, { email: { $gt: '' } }, { scopes: { $each: ['users:read'] } }]) {
    t.equal((await send('POST', '/users/', token, { ...newcomer, username: 'carl', ...changes })).statusCode, 422, JSON.stringify(changes))
  }
})

t.test('a name with :: or one that looks like another is no name', async (t) => {
  const { addUser, logIn, send } = await secured(t)
  await addUser('alice')
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  t.equal((await logIn('alice')).statusCode, 200, 'the name as it is')
  t.equal((await send('GET', '/users/alice', token)).statusCode, 200)
  t.equal((await send('POST', '/users/', token, { username: 'alice2', password })).statusCode, 201)
  const strange = ['userprofile::alice', 'a::lice', 'Alice', 'ALICE', 'аlice', 'ａｌｉｃｅ', 'alice\u200b', ' alice', 'alice ', 'alıce', 'al\u0131ce', 'alice\u0000', 'me']
  for (const name of strange) {
    t.equal((await logIn(name)).json().error, 'invalid_grant', name)
    t.equal((await send('POST', '/users/', token, { username: name, password })).statusCode, 422, name)
    if (name !== 'me') t.equal((await send('GET', `/users/${encodeURIComponent(name)}`, token)).statusCode, 422, name)
  }
  const subject = forge({ claims: { sub: 'Alice', scope: '' } })
  t.equal((await send('GET', '/users/alice', subject)).statusCode, 403, 'nor is it the same as the name in a token')
})

t.test('a body gives a user no type, no hash, no id, and no scope that the caller lacks', async (t) => {
  const { addUser, send, users } = await secured(t)
  await addUser('bob', { scopes: [] })
  const token = forge({ claims: { scope: 'users:write' } })
  const extra = {
    type: 'admin', hashed_password: 'x', password_changed_at: 0, _id: 'userprofile::root', id: 'x', admin: true, $set: { disabled: false }
  }
  t.equal((await send('POST', '/users/', token, { username: 'eve', password, ...extra })).statusCode, 201)
  const eve = await users.findOne({ _id: 'userprofile::eve' })
  t.strictSame(Object.keys(eve ?? {}).sort(), ['_id', 'disabled', 'hashed_password', 'password_changed_at', 'scopes', 'type', 'username'])
  t.match(eve, { type: 'userprofile', scopes: [], hashed_password: /^\$argon2id\$/ })
  t.equal((await send('PUT', '/users/bob', token, { full_name: 'Bob', username: 'root', ...extra })).statusCode, 200)
  const bob = await users.findOne({ _id: 'userprofile::bob' })
  t.match(bob, { type: 'userprofile', username: 'bob', full_name: 'Bob', scopes: [], hashed_password: /^\$argon2id\$/ })
  t.notOk(bob && ('admin' in bob || '$set' in bob))
  t.equal((await send('POST', '/users/', token, { username: 'mallory', password, scopes: ['students:write'] })).statusCode, 403)
  t.equal((await send('PUT', '/users/bob', token, { scopes: ['students:write'] })).statusCode, 403)
  t.equal(await users.findOne({ _id: 'userprofile::root' }), null)
})

t.test('neither logs nor errors hold a password, a token, a hash or a key', async (t) => {
  const lines: string[] = []
  const stream = new Writable({ write: (chunk, _encoding, done) => { lines.push(String(chunk)); done() } })
  const { addUser, database, form, logIn, refresh, send } = await secured(t, {}, { logger: { ...loggerOptions({ level: 'trace', isTerminal: false }), stream } })
  const { hashed_password: hashed } = await addUser('alice')
  const { access_token: token, refresh_token: refreshToken } = (await logIn('alice')).json()
  const next = (await refresh(refreshToken)).json()
  t.equal((await send('GET', '/users/me', next.access_token)).statusCode, 200)
  const newest = (await refresh(next.refresh_token)).json()
  const bad = forge({ key: another })
  const answers = [
    await logIn('alice', { password: 'a wrong password' }),
    await logIn('a wrong password', {}),
    await refresh(refreshToken),
    await form('/revoke', { token }),
    await send('GET', `/students/?access_token=${token}`),
    await send('GET', '/students/', bad),
    await send('POST', '/users/', token, { username: 'Bad Name', password: 'secret of the newcomer' })
  ]
  // a database that fails in the middle of a request, and whose error repeats what it was sent
  t.intercept(Object.getPrototypeOf(database.collection('users')), 'findOne', {
    value: async (filter: object) => { throw Object.assign(new Error(`bad filter ${JSON.stringify(filter)}`), { codeName: 'BadValue', filter, password }) }
  })
  const failed = [await logIn('alice'), await refresh(next.refresh_token), await send('GET', '/users/me', token)]
  t.strictSame(failed.map(({ statusCode }) => statusCode), [500, 500, 500])
  answers.push(...failed)
  const secrets = [password, 'a wrong password', 'secret of the newcomer', token, refreshToken, refreshToken.split('.')[1], next.access_token,
    next.refresh_token, newest.refresh_token, bad, hashed, hashed.split('$').at(-1), key]
  const log = lines.join('')
  t.match(log, /a refresh token was used twice/, 'what happened is there')
  for (const secret of secrets) {
    t.notOk(log.includes(secret), 'not in the log')
    for (const { body, headers } of answers) t.notOk(`${body}${JSON.stringify(headers)}`.includes(secret), 'not in an answer')
  }
})
