import Fastify from 'fastify'
import t from 'tap'
import { answerUnder } from '../../server/base-path.js'
import type { Health } from '../../server/health.js'
import { home, type HomeOptions } from '../../server/home.js'
import { launch, listening } from '../launch.js'

async function build (t: Test, options: Partial<HomeOptions> = {}, basePath?: string) {
  const app = Fastify()
  t.teardown(async () => app.close())
  answerUnder(app, { basePath })
  await app.register(home, { store: 'embedded', hasDocs: true, students: '/students/', state: async () => ({ status: 'pass' }), ...options })
  return app
}

type Test = Pick<typeof t, 'teardown'>

const away = async (): Promise<Health> => ({ status: 'fail', output: 'The database does not answer.' })

t.test('the page leads to the docs and says how the store is, without a script and under a strict policy', async (t) => {
  const answer = await (await build(t)).inject({ url: '/', headers: { accept: 'text/html,*/*;q=0.8' } })
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', vary: 'accept' })
  t.match(answer.headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:;/)
  t.strictSame([...answer.body.matchAll(/<a.* href="([^"]+)"/g)].map(([, path]) => path), ['/docs', '/openapi.json', '/students/', '/livez', '/readyz'])
  t.match(answer.body, '<dd>embedded: up</dd>')
  t.notMatch(answer.body, /<script|style="/)
})

t.test('without docs nothing leads there, and a store that is away is told', async (t) => {
  const { body } = await (await build(t, { hasDocs: false, store: 'MongoDB', state: away })).inject('/')
  t.notMatch(body, /docs|openapi/)
  t.match(body, '<dd>MongoDB: The database does not answer.</dd>')
})

t.test('whoever prefers JSON has the same as JSON, and other types and methods are refused', async (t) => {
  const app = await build(t, { state: away }, '/college')
  t.match((await app.inject({ url: '/', headers: { accept: 'application/json' } })).json(), {
    name: 'Student Course API',
    store: { type: 'embedded', status: 'fail', output: 'The database does not answer.' },
    links: { docs: '/college/docs', openapi: '/college/openapi.json', students: '/college/students/', livez: '/college/livez', readyz: '/college/readyz' }
  })
  t.match((await app.inject({ url: '/', headers: { accept: 'image/png' } })).json(), { status: 406 })
  const refused = await app.inject({ method: 'POST', url: '/' })
  t.equal(refused.statusCode, 405)
  t.equal(refused.headers.allow, 'GET, HEAD, OPTIONS')
})

t.test('the server answers with it under its base path', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), BASE_PATH: '/college', DOCS: 'off', AUTH: 'off' }, { counted: true })
  const url = await listening(server)
  for (const path of ['/', '/college', '/college/']) {
    const body = await (await fetch(`${url}${path}`)).text()
    t.match(body, /href="\/college\/students\/"/, path)
    t.notMatch(body, /docs/)
  }
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
