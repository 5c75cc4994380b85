import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { allowOrigins } from '../../server/cors.js'
import { Quotas } from '../../lib/server/quotas.js'
import { shareQuotas } from '../../server/rate-limits.js'
import { shed } from '../../server/shedding.js'
import type { Store } from '../../server/store.js'
import { launch, listening, runCli } from '../launch.js'
import { client, url as storeUrl } from '../store.js'

type Test = Pick<typeof t, 'teardown'>

async function build (t: Test, prepare: (app: FastifyInstance) => Promise<void>) {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(async () => app.close())
  await prepare(app)
  app.get('/', async () => 'x')
  app.options('/', async (_request, reply) => reply.code(204).header('allow', 'GET').send())
  app.get('/livez', { config: { isForOperators: true } }, async () => 'alive')
  return { app, lines }
}

const preflight = (origin: string) => ({
  method: 'OPTIONS' as const, url: '/', headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization, if-match' }
})

t.test('pages of origins that are named may use the API, with credentials, and others may not', async (t) => {
  const { app } = await build(t, async (app) => allowOrigins(app, 'https://a.example,https://b.example'))
  const answer = await app.inject(preflight('https://b.example'))
  t.equal(answer.statusCode, 204)
  t.match(answer.headers, {
    'access-control-allow-origin': 'https://b.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, QUERY',
    'access-control-allow-headers': 'authorization, if-match',
    'access-control-max-age': '600',
    vary: /Origin/
  })
  const got = await app.inject({ url: '/', headers: { origin: 'https://a.example' } })
  t.match(got.headers['access-control-expose-headers'], /^ETag, Link, Location, Retry-After, RateLimit, .*X-Request-Id$/)
  for (const origin of ['https://c.example', 'https://a.example.evil', 'null']) t.notOk((await app.inject({ url: '/', headers: { origin } })).headers['access-control-allow-origin'], origin)
})

t.test('with * every page may, without credentials; and OPTIONS that is no preflight is answered by the route', async (t) => {
  const { app } = await build(t, async (app) => allowOrigins(app, '*'))
  const { headers } = await app.inject({ url: '/', headers: { origin: 'https://c.example' } })
  t.equal(headers['access-control-allow-origin'], '*')
  t.notOk(headers['access-control-allow-credentials'])
  t.equal((await app.inject({ method: 'OPTIONS', url: '/' })).headers.allow, 'GET')
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nope' })).statusCode, 404)
})

t.test('while the event loop is late requests are 503 at once, operators are answered, and the log says why', async (t) => {
  const { app, lines } = await build(t, async (app) => shed(app, { maxDelayMs: 50, maxMemoryMb: 0 }))
  t.equal((await app.inject('/')).statusCode, 200)
  const until = performance.now() + 1_500
  let answer = await app.inject('/')
  while (answer.statusCode === 200 && performance.now() < until) {
    const end = performance.now() + 100
    while (performance.now() < end); // busy
    await sleep(0)
    answer = await app.inject('/')
  }
  t.equal(answer.statusCode, 503)
  t.match(answer.headers, { 'retry-after': '1', 'content-type': /^application\/problem\+json/ })
  t.match(answer.json(), { type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity', status: 503, instance: '/', request_id: String })
  t.equal((await app.inject('/livez')).statusCode, 200)
  await app.inject('/')
  t.equal(lines.length, 1, 'one line in ten seconds')
  t.match(lines[0], /requests are turned away: the event loop is \d+ ms late, over SHED_DELAY_MS/)
  await sleep(600)
  t.equal((await app.inject('/')).statusCode, 200, 'and then they are let in again')
})

t.test('while more come than are answered in time, some are 503 at once; what has a queue of its own, or is streamed, is let in', async (t) => {
  const { app, lines } = await build(t, async (app) => shed(app, { maxDelayMs: 100, maxMemoryMb: 0 }))
  let answer = () => {}
  const answered = new Promise<string>((resolve) => { answer = () => resolve('late') })
  app.get('/late', async () => answered)
  app.get('/queued', { config: { hasOwnQueue: true } }, async () => 'x')
  app.post('/streamed', { config: { isStreamed: true } }, async () => 'x')
  const url = await app.listen({ port: 0 })
  await sleep(600) // the start is over
  const leaving = new AbortController()
  const left = Array.from({ length: 100 }, async () => fetch(`${url}/late`, { signal: leaving.signal }).catch(() => {}))
  await sleep(600)
  const refused = await fetch(`${url}/late`)
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.match(await refused.json(), { status: 503, detail: 'The server has more to do than it can. Nothing was changed.', request_id: String })
  t.match(lines.at(-1), /requests are turned away: 100 are under way, as many as are answered within SHED_DELAY_MS/)
  for (const [path, method] of [['/livez', 'GET'], ['/queued', 'GET'], ['/streamed', 'POST']] as const) t.equal((await fetch(url + path, { method })).status, 200, path)
  leaving.abort()
  await Promise.all(left)
  await sleep(100)
  t.equal((await fetch(url)).status, 200, 'nobody waits for those whose clients have left')
  answer()
})

t.test('what the start took turns nobody away', async (t) => {
  const { app } = await build(t, async (app) => shed(app, { maxDelayMs: 50, maxMemoryMb: 0 }))
  await app.ready()
  const end = performance.now() + 400
  while (performance.now() < end); // busy, as with what is loaded
  const url = await app.listen({ port: 0 })
  const began = performance.now()
  for (; performance.now() - began < 400; await sleep(20)) t.equal((await fetch(url)).status, 200)
})

t.test('a process that holds too much memory turns requests away', async (t) => {
  const { app, lines } = await build(t, async (app) => shed(app, { maxDelayMs: 0, maxMemoryMb: 1 }))
  await sleep(400)
  t.equal((await app.inject('/')).statusCode, 503)
  t.match(lines[0], /the process holds \d+ MiB, over SHED_MEMORY_MB/)
})

t.test('on a database without TTL indexes the server removes counters that have expired', async (t) => {
  const swept: unknown[] = []
  const collection = {
    createIndex: async () => { throw Object.assign(new Error('no such option'), { code: 115 }) },
    deleteMany: async (filter: unknown) => { swept.push(filter) }
  }
  const store = {
    client: { db: () => ({ collection: () => collection }) }, guard: { write: async (run: (signal: AbortSignal) => unknown) => run(new AbortController().signal) }
  } as unknown as Store // no more of it is asked for
  const app = Fastify()
  await shareQuotas(app, new Quotas({ quota: 1, windowMs: 1_000 }), store, 'any')
  await app.close()
  t.match(swept, [{ expires_at: { $lte: Date } }])
})

t.test('two servers on one database count together, by user or else by network, and operators are not counted', async (t) => {
  const database = `test_rates_${process.pid}`
  t.teardown(async () => client.db(database).dropDatabase())
  const env = {
    MONGODB_URL: storeUrl,
    MONGODB_DATABASE: database,
    AUTH: 'on',
    JWT_SECRET: 'x'.repeat(40),
    ACCESS_TOKEN_TTL: '60',
    RATE_LIMIT_QUOTA: '20',
    RATE_LIMIT_WINDOW: '3600',
    CORS_ORIGINS: '*',
    COMPRESSION: 'on',
    SHED_DELAY_MS: '0',
    SHED_MEMORY_MB: '100000'
  }
  await runCli(env, 'users add reader --scope students:read', 'correct horse\n')
  const servers = [1, 2].map(() => launch(t, env, { counted: true }))
  const urls = await Promise.all(servers.map(listening))
  const [one = '', other = ''] = urls
  const login = await fetch(`${one}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'password', username: 'reader', password: 'correct horse' }) })
  t.equal(login.headers.get('ratelimit-policy'), '"default";q=20;w=3600')
  t.match(login.headers.get('ratelimit'), /^"default";r=19;t=\d+$/)
  const { access_token: token, expires_in: lifeS } = await login.json() as { access_token: string, expires_in: number } // as RFC 6749 has it
  t.equal(lifeS, 60)
  const authorized = { headers: { authorization: `Bearer ${token}` } }

  const statuses: number[] = []
  for (let count = 0; count < 30; count++) {
    statuses.push((await fetch(`${urls[count % 2]}/students/`, authorized)).status)
    await sleep(25) // longer than a round trip
  }
  const served = statuses.filter((status) => status === 200).length
  t.ok(served >= 20 && served <= 22, `${served} served`)
  const refused = await fetch(`${one}/students/`, authorized)
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('access-control-allow-origin'), '*', 'also to a page')
  t.match(Number(refused.headers.get('retry-after')) > 0 && await refused.json(), {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded', status: 429, 'violated-policies': ['default'], request_id: String
  })
  for (let count = 0; count < 30; count++) t.equal((await fetch(`${one}/livez`)).status, 200)

  t.equal((await fetch(`${one}/nope`, authorized)).status, 404, 'where no token is looked at, the network counts')
  t.equal((await fetch(`${other}/students/`, { headers: { authorization: 'Bearer wrong' } })).status, 401, 'the network has some left')
  let last = 0
  for (let count = 0; count < 25; count++) last = (await fetch(`${other}/students/`)).status
  t.equal(last, 429, 'and then has none')
  for (const server of servers) {
    server.child.kill('SIGTERM')
    t.strictSame(await server.exited, { code: 0, signal: null })
  }
})
