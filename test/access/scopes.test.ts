import { generateKeyPairSync } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import t from 'tap'
import studentCourseApi, { type Caller, type UserStore } from '../../app.js'
import { meets } from '../../lib/user-store.js'
import { SCOPES, type Scope, type StoredUser } from '../../schemas/user.js'
import { janeDoe, unknownId } from '../samples.js'
import { client } from '../store.js'
import { forge, key, secured } from './secured.js'

const newcomer = { username: 'newcomer', password: 'battery staple' }

/** Every route that asks for a scope: a request that gets past it, and the scope. */
const guarded: ['GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE', string, Scope, unknown?][] = [
  ['GET', '/students', 'students:read'],
  ['GET', '/students/', 'students:read'],
  ['HEAD', '/students/', 'students:read'],
  ['POST', '/students', 'students:write', janeDoe],
  ['POST', '/students/', 'students:write', janeDoe],
  ['GET', `/students/${unknownId}`, 'students:read'],
  ['HEAD', `/students/${unknownId}`, 'students:read'],
  ['PUT', `/students/${unknownId}`, 'students:write', janeDoe],
  ['DELETE', `/students/${unknownId}`, 'students:write'],
  ['GET', '/users/bob', 'users:read'],
  ['HEAD', '/users/bob', 'users:read'],
  ['POST', '/users', 'users:write', { ...newcomer, username: 'one' }],
  ['POST', '/users/', 'users:write', { ...newcomer, username: 'two' }],
  ['PUT', '/users/bob', 'users:write', { full_name: 'Bob' }]
]

/** What answers without a token: documentation, and what gives tokens. */
const open = ['/docs', '/openapi.json', '/token', '/revoke']

t.test('every route needs its scope and no other', async (t) => {
  const { send, addUser } = await secured(t)
  await addUser('bob', { scopes: [] })
  for (const [method, url, scope, body] of guarded) {
    const name = `${method} ${url}`
    const bare = await send(method, url, undefined, body)
    t.equal(bare.statusCode, 401, name)
    t.equal(bare.headers['www-authenticate'], 'Bearer realm="Student Course API"', 'and no code, since no token came')

    const others = SCOPES.filter((other) => other !== scope).join(' ')
    const lacking = await send(method, url, forge({ claims: { scope: others } }), body)
    t.equal(lacking.statusCode, 403, name)
    t.equal(lacking.headers['www-authenticate'], `Bearer realm="Student Course API", error="insufficient_scope", scope="${scope}"`)
    if (method !== 'HEAD') t.match(lacking.json(), { status: 403, detail: `This requires the scope ${scope}.` })

    const { statusCode } = await send(method, url, forge({ claims: { scope } }), body)
    t.ok([200, 201, 404].includes(statusCode), `${name} is ${statusCode} with ${scope} alone`)
  }
})

t.test('no route is without a rule but those that are open', async (t) => {
  const { app } = await secured(t)
  const { paths, components } = (await app.inject({ url: '/openapi.json' })).json()
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, { security?: object[] }>).map(([method, operation]) => ({ path, method, operation })))
  for (const { path, method, operation } of routes) {
    t.equal(operation.security === undefined, open.includes(path), `${method} ${path}`)
  }
  t.equal(routes.length, guarded.filter(([method, url]) => method !== 'HEAD' && !/^\/(students|users)$/.test(url)).length + open.slice(2).length + 1, 'with /users/me')
  t.match(components.securitySchemes.access, { type: 'oauth2', flows: { password: { tokenUrl: '/token', refreshUrl: '/token', scopes: Object } } })
  t.strictSame(Object.keys(components.securitySchemes.access.flows.password.scopes), [...SCOPES])
  t.strictSame(paths['/students/'].post.security, [{ access: ['students:write'] }])
  t.strictSame(paths['/users/{username}'].get.security, [{ access: ['users:read'] }, { access: [] }])
  t.ok(paths['/students/'].post.responses['403'].headers['WWW-Authenticate'])
})

t.test('without access control nothing asks for a token, and users are only read', async (t) => {
  const { app, send } = await secured(t, { auth: undefined })
  const { paths, components } = (await app.inject({ url: '/openapi.json' })).json()
  t.strictSame(Object.keys(paths).sort(), ['/students/', '/students/{id}', '/users/{username}'])
  t.equal(components.securitySchemes, undefined)
  t.equal(paths['/students/'].get.security, undefined)
  t.equal((await send('GET', '/students/')).statusCode, 200)
  t.equal((await send('POST', '/token')).statusCode, 404)
  t.equal((await send('POST', '/users/', undefined, newcomer)).statusCode, 405)
  t.equal((await send('PUT', '/users/bob', undefined, {})).statusCode, 405)
  t.equal((await send('GET', '/users/me')).statusCode, 422, 'me is no name')
})

t.test('everybody may read their own profile', async (t) => {
  const { addUser, send } = await secured(t)
  await addUser('bob', { scopes: [], email: 'bob@example.com' })
  const token = forge({ claims: { sub: 'bob', scope: '' } })
  const profile = { username: 'bob', email: 'bob@example.com', full_name: null, disabled: false }
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
  t.strictSame(answer.json(), { username: 'newcomer', email: 'new@example.com', full_name: 'New Comer', disabled: false })
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
  t.strictSame(answer.json(), { username: 'bob', email: 'bob@example.com', full_name: 'Robert', disabled: false })
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
    update: async (_username, changes, condition = {}) => target.username === 'target' && meets(target, condition) && Boolean(Object.assign(target, changes))
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
  meanwhile = () => undefined
  t.equal((await send('PUT', '/users/target', token, { disabled: true })).statusCode, 404)
  meanwhile = (user) => user
  target.scopes = ['students:read']
  t.equal((await send('PUT', '/users/target', token, { disabled: true })).statusCode, 200)
  t.equal(target.disabled, true)
})

t.test('neither the hash of a password nor the type of a profile is in any answer', async (t) => {
  const { addUser, send, logIn, refresh, form } = await secured(t)
  const { hashed_password: hashed } = await addUser('bob')
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const login = await logIn('bob')
  const answers = [
    ...await Promise.all(guarded.map(([method, url, , body]) => send(method, url, token, body))),
    await send('GET', '/users/me', forge({ claims: { sub: 'bob' } })),
    await send('PUT', '/users/bob', token, { password: 'battery staple', type: 'userprofile', hashed_password: 'x' }),
    await send('POST', '/users/', token, { ...newcomer, username: 'bob' }),
    login,
    await refresh(login.json().refresh_token),
    await logIn('bob', { password: 'wrong' }),
    await form('/revoke', { token: 'x' })
  ]
  for (const { body, headers, raw } of answers) {
    const text = `${body}${JSON.stringify(headers)}`
    t.notMatch(text, /argon2|userprofile|hashed|"type":"user/, `${raw.req.method} ${raw.req.url}`)
    t.notOk(text.includes(hashed.slice(-20)))
  }
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

t.test('a host hands in whom it knows, and there are no tokens of ours', async (t) => {
  const callers: Record<string, Caller> = { reader: { username: 'reader', scopes: ['students:read'] } }
  const authenticate = async ({ headers }: { headers: Record<string, unknown> }) => callers[String(headers['x-caller'])]
  const { app } = await secured(t, { auth: { authenticate } })
  const get = (url: string, caller?: string) => app.inject({ url, headers: caller ? { 'x-caller': caller } : {} })
  t.equal((await get('/students/', 'reader')).statusCode, 200)
  t.equal((await get('/students/')).statusCode, 401)
  t.equal((await get('/users/bob', 'reader')).statusCode, 403)
  t.equal((await get('/users/me', 'reader')).statusCode, 404)
  t.equal((await app.inject({ url: '/token', method: 'POST' })).statusCode, 404)
  const { components } = (await app.inject({ url: '/openapi.json' })).json()
  t.strictSame(components.securitySchemes.access, { type: 'http', scheme: 'bearer' })
})

t.test('a host may answer a request by itself, or fail', async (t) => {
  const { app } = await secured(t, {
    auth: {
      authenticate: async (request, reply) => {
        if (request.headers['x-fail']) throw new Error('the directory is down')
        reply.code(302).header('location', '/login').send()
        return undefined
      }
    }
  })
  const answer = await app.inject({ url: '/students/' })
  t.equal(answer.statusCode, 302)
  t.equal(answer.headers.location, '/login')
  const failed = await app.inject({ url: '/students/', headers: { 'x-fail': 'yes' } })
  t.equal(failed.statusCode, 500)
  t.notMatch(failed.body, 'directory')
  t.notOk(failed.headers['www-authenticate'])
})

t.test('a host may answer at once, and what is no caller lets nobody in', async (t) => {
  let answer: unknown
  const authenticate = () => {
    if (answer instanceof Error) throw answer
    return answer as never
  }
  const { send } = await secured(t, { auth: { authenticate } })
  const statusFor = async (value: unknown) => {
    answer = value
    return (await send('GET', '/students/')).statusCode
  }
  t.equal(await statusFor({ username: 'x', scopes: ['students:read'] }), 200)
  for (const none of [undefined, null]) t.equal(await statusFor(none), 401)
  for (const wrong of [{ username: 'x', scopes: 'students:readonly' }, { username: 'x' }, { scopes: ['students:read'] }, { username: 'x', scopes: [7] }, 'x']) {
    t.equal(await statusFor(wrong), 500, JSON.stringify(wrong))
  }
  answer = Object.assign(new Error('no'), { statusCode: 401 })
  t.equal((await send('GET', '/students/')).headers['www-authenticate'], 'Bearer realm="Student Course API"')
})

t.test('inside a host with @fastify/jwt, its tokens and ours live side by side', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  // as a service does that knows an identity provider by its public key; here it signs as well
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  const [iss, aud] = ['https://login.example.com/', 'student-course-api']
  await app.register(fastifyJwt, {
    secret: { public: publicKey, private: privateKey },
    sign: { algorithm: 'RS256', iss, aud },
    verify: { algorithms: ['RS256'], allowedIss: iss, allowedAud: aud }
  })
  app.decorateRequest('caller', null)
  const database = `test_host_${process.pid}`
  t.teardown(() => client.db(database).dropDatabase())
  const authenticate = async (request: { jwtVerify(): Promise<unknown> }) => {
    const { sub, scope } = await request.jwtVerify() as { sub: string, scope: string } // as the host signs them
    return { username: sub, scopes: scope.split(' ') }
  }
  await app.register(studentCourseApi, { prefix: '/own', client, database, auth: { keys: [key] } })
  await app.register(studentCourseApi, { prefix: '/host', client, database, auth: { authenticate } })
  await app.ready()
  const theirs = app.jwt.sign({ sub: 'alice', scope: 'students:read' })
  const get = (url: string, token?: string) => app.inject({ url, headers: token ? { authorization: `Bearer ${token}` } : {} })
  t.equal((await get('/own/students/', forge())).statusCode, 200)
  t.equal((await get('/own/students/', theirs)).statusCode, 401)
  t.equal((await get('/host/students/', theirs)).statusCode, 200)
  const refused = await get('/host/students/', forge())
  t.equal(refused.statusCode, 401)
  t.match(refused.headers, { 'www-authenticate': /error="invalid_token"/, 'content-type': /problem\+json/ })
  t.equal((await get('/host/students/')).headers['www-authenticate'], 'Bearer realm="Student Course API"')
  t.equal((await get('/host/users/bob', theirs)).statusCode, 403)
  const { components } = (await get('/own/openapi.json')).json()
  t.equal(components.securitySchemes.access.flows.password.tokenUrl, '/own/token')
})

t.test('auth that is none is refused at register', async (t) => {
  for (const auth of [{}, { keys: [] }, { keys: ['short'] }, { keys: [key, 'short'] }, { keys: key }, { authenticate: 'x' }, null, true,
    { keys: [key], authenticate: () => {} }, { keys: [key], issuer: '' }, { keys: [key], audience: 5 }, { keys: [5] }]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(studentCourseApi, { client, auth: auth as never }), /auth must be/, JSON.stringify(auth))
  }
})
