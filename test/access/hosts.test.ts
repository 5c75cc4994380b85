import { generateKeyPairSync } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import t from 'tap'
import studentCourseApi, { callerOf, type Caller } from '../../app.js'
import { newDatabase } from '../app/host.js'
import { client } from '../store.js'
import { forge, key, secured } from './secured.js'

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

t.test('a host can tell who sends a request, once it is let in, in hooks and in routes of its own', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const seen: unknown[] = []
  app.addHook('onResponse', async (request) => { seen.push(callerOf(request)?.username) })
  app.get('/host', async (request) => ({ by: callerOf(request) ?? null }))
  const authenticate = async ({ headers }: { headers: Record<string, unknown> }) => headers['x-caller'] === undefined ? undefined : { username: String(headers['x-caller']), scopes: ['students:read'] }
  await app.register(studentCourseApi, {
    client,
    database: newDatabase(t),
    auth: { authenticate },
    extend: async (scope, { repositories }) => {
      scope.get('/who', { config: { access: { scope: 'students:read' } } }, async (request) => ({ by: callerOf(request), known: Object.keys(repositories) }))
    }
  })
  const get = async (url: string, headers = {}) => (await app.inject({ url, headers })).json()
  t.strictSame(await get('/who', { 'x-caller': 'bob' }), { by: { username: 'bob', scopes: ['students:read'] }, known: ['students'] })
  t.match(await get('/who'), { status: 401 })
  t.strictSame(await get('/host', { 'x-caller': 'bob' }), { by: null })
  t.strictSame(seen, ['bob', undefined, undefined])
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
