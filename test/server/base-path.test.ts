import Fastify from 'fastify'
import t from 'tap'
import { answerUnder, withoutBase } from '../../server/base-path.js'
import { launch, listening } from '../launch.js'
import { janeDoe } from '../samples.js'

t.test('the base path is taken away where it stands as a whole', async (t) => {
  const rewrite = (url?: string) => withoutBase('/college')({ url } as { url: string }) // Node's type leaves it out too
  for (const [url, rest] of [
    ['/college/students/', '/students/'], ['/college', '/'], ['/college?x=1', '/?x=1'], ['/college/', '/'], ['/students/', '/students/'],
    ['/colleges/x', '/colleges/x'], ['/college/college/x', '/college/x'], [undefined, '/']
  ] as const) t.equal(rewrite(url), rest, String(url))
})

t.test('a prefix is taken from a proxy that is trusted, if it is well-formed, and from nobody else', async (t) => {
  for (const [proxies, prefix, expected] of [
    ['loopback', '/college', '/college/x'], ['loopback', '/a/b-c_d~1.2', '/a/b-c_d~1.2/x'], ['10.0.0.1', '/college', '/own/x'], [undefined, '/college', '/own/x'],
    ['loopback', 'college', '/own/x'], ['loopback', '//evil.example', '/own/x'], ['loopback', '/a b', '/own/x'], ['loopback', '/a/', '/own/x'], ['loopback', '/<x>', '/own/x'],
    ['loopback', '', '/own/x'], ['loopback', undefined, '/own/x']
  ] as const) {
    const app = Fastify()
    t.teardown(async () => app.close())
    answerUnder(app, { basePath: '/own', proxies })
    app.get('/x', async ({ url }) => url)
    t.equal((await app.inject({ url: '/x', headers: { ...prefix !== undefined && { 'x-forwarded-prefix': prefix } } })).body, expected, `${proxies} ${prefix}`)
  }
})

t.test('all that a server says of paths has its base path, whether the proxy takes it away or not', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), BASE_PATH: '/college', AUTH: 'off' }, { counted: true })
  const url = await listening(server)
  for (const base of ['', '/college']) {
    const created = await fetch(`${url}${base}/students/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe) })
    t.match(created.headers.get('location'), /^\/college\/students\/[0-9a-f]{24}$/)
    const list = await fetch(`${url}${base}/students/?limit=1`)
    t.match(list.headers.get('link'), /^<\/college\/students\/\?limit=1>; rel="first"/)
    t.match(await (await fetch(`${url}${base}/students/x`)).json(), { instance: '/college/students/x' })
    t.match(await (await fetch(`${url}${base}/nope`)).json(), { instance: '/college/nope' })
    for (const path of ['/openapi.json', '/docs/json']) t.match(await (await fetch(`${url}${base}${path}`)).json(), { servers: [{ url: '/college' }], paths: { '/students/': {} } }, path)
    const docs = await fetch(`${url}${base}/docs`, { redirect: 'manual' })
    t.equal(docs.status, 302)
    t.equal(docs.headers.get('location'), 'docs/')
    t.match(await (await fetch(`${url}${base}/docs/`)).text(), /href="\.\/static\/swagger-ui\.css"/)
  }
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('the URL of the token endpoint has the prefix that a trusted proxy names', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), TRUST_PROXY: 'loopback', AUTH: 'on', JWT_SECRET: 'x'.repeat(40) })
  const url = await listening(server)
  const read = async (headers = {}) => (await fetch(`${url}/openapi.json`, { headers })).json()
  t.match(await read({ 'x-forwarded-prefix': '/api' }), { servers: [{ url: '/api' }], components: { securitySchemes: { access: { flows: { password: { tokenUrl: '/api/token' } } } } } })
  const plain = await read() as { servers?: unknown, components: unknown } // as above
  t.notOk(plain.servers)
  t.match(plain.components, { securitySchemes: { access: { flows: { password: { tokenUrl: '/token' } } } } })
})
