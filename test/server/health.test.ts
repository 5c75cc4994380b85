import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import { health, readiness, type HealthOptions } from '../../server/health.js'

async function build (t: Test, options: Partial<HealthOptions> = {}) {
  const app = Fastify()
  t.teardown(async () => app.close())
  await app.register(health, { state: readiness({ unready: () => undefined, ping: async () => {}, ...options }) })
  return app
}

type Test = Pick<typeof t, 'teardown'>

t.test('a process that answers is live, and ready while the database answers too', async (t) => {
  const app = await build(t)
  for (const path of ['/livez', '/readyz']) {
    const answer = await app.inject(path)
    t.equal(answer.statusCode, 200)
    t.match(answer.headers, { 'content-type': 'application/health+json; charset=utf-8', 'cache-control': 'no-store' })
    t.strictSame(answer.json(), { status: 'pass' })
    t.equal((await app.inject({ method: 'HEAD', url: path })).statusCode, 200)
    const refused = await app.inject({ method: 'POST', url: path })
    t.equal(refused.statusCode, 405)
    t.equal(refused.headers.allow, 'GET, HEAD, OPTIONS')
  }
})

t.test('a server that is about to end is live and not ready', async (t) => {
  const app = await build(t, { unready: () => 'The server is about to end.' })
  t.equal((await app.inject('/livez')).statusCode, 200)
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { status: 'fail', output: 'The server is about to end.' })
})

t.test('a database that fails, or that says nothing in time, is told without its error', async (t) => {
  const aborted: AbortSignal[] = []
  for (const ping of [async () => { throw new Error('s3cret') }, async (signal: AbortSignal) => new Promise(() => aborted.push(signal))]) {
    const app = await build(t, { ping })
    const started = performance.now()
    const answer = await app.inject('/readyz')
    t.ok(performance.now() - started < 1_000, 'sooner than a probe gives up')
    t.equal(answer.statusCode, 503)
    t.strictSame(answer.json(), { status: 'fail', output: 'The database does not answer.' })
  }
  t.equal(aborted[0]?.aborted, true)
})

t.test('many probes ask the database once, and a later one asks again', async (t) => {
  let count = 0
  const app = await build(t, { ping: async () => { count++ } })
  await Promise.all(Array.from({ length: 50 }, async () => app.inject('/readyz')))
  t.equal(count, 1)
  await sleep(300)
  await app.inject('/readyz')
  t.equal(count, 2)
})
