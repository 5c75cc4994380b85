import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { Config } from '../../config.js'
import { client, url } from '../store.js'
import { buildHost, create, newDatabase, prefix } from './host.js'

t.test('the host\'s error handler, 404 handler, validators, parsers and decorators stay as they were', async (t) => {
  const host = await buildHost(t)
  host.setErrorHandler((error: Error, _request, reply) => { reply.code(418).send({ host: error.message }) })
  host.setNotFoundHandler((_request, reply) => { reply.code(404).send({ host: 'nothing' }) })
  host.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  const query = { type: 'object', properties: { n: { type: 'integer' } } } as const
  host.get('/host', { schema: { querystring: query } }, async ({ query }) => query)
  host.post('/host', async ({ body }) => ({ body }))
  host.get('/fail', async () => { throw new Error('mine') })
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })

  t.strictSame((await host.inject('/host?n=5')).json(), { n: 5 }, 'the host coerces as ever')
  const answers = [['/fail', { host: 'mine' }], ['/host?n=x', { host: 'querystring/n must be integer' }],
    ['/nope', { host: 'nothing' }], [`${prefix}/nope`, { host: 'nothing' }]] as const
  for (const [path, body] of answers) t.strictSame((await host.inject(path)).json(), body, path)
  for (const type of ['text/csv', 'text/plain']) {
    const answer = await host.inject({ method: 'POST', url: '/host', headers: { 'content-type': type }, payload: 'a' })
    t.strictSame(answer.json(), { body: 'a' })
  }
  for (const name of ['students', 'storeGuard', 'closePaths', 'swagger', 'mongo']) t.notOk(host.hasDecorator(name), name)
  const hosts = await host.inject('/host')
  t.equal(hosts.headers['x-content-type-options'], undefined)

  const ours = await host.inject({ method: 'POST', url: `${prefix}/students`, headers: { 'content-type': 'text/csv' }, payload: 'a' })
  t.equal(ours.statusCode, 415, 'the host\'s parsers do not reach the plugin')
  t.equal(ours.headers['content-type'], 'application/problem+json; charset=utf-8')
})

const pathsBelow = (prefix: string) => ['students/', 'students/batch', 'students/import', 'students/export', 'students/{id}', 'users/{username}'].map((path) => `${prefix}/${path}`)

t.test('the host\'s OpenAPI document gains the plugin\'s routes and loses nothing', async (t) => {
  const host = await buildHost(t, async (host) => {
    await host.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Host', version: '1' } } })
    // names that the plugin has too
    host.addSchema({ $id: 'StudentModel', title: 'StudentModel', type: 'object', properties: { theirs: { type: 'string' } } })
    host.get('/host', { schema: { operationId: 'createStudent', response: { 200: { $ref: 'StudentModel#' } } } }, async () => ({}))
  })
  const database = newDatabase(t)
  await host.register(studentCourseApi, { prefix, client, database })
  await host.register(studentCourseApi, { prefix: '/api/v1', client, database })
  await host.register(studentCourseApi, { prefix: '/x', client, database, operationIdPrefix: 'mine' })
  await host.ready()

  const document = structuredClone(host.swagger()) as any // the type of the document is that of any OpenAPI version
  t.strictSame(await new Validator().validate(structuredClone(document)), { valid: true })
  t.equal(document.info.title, 'Host')
  t.strictSame(Object.keys(document.paths), ['/host',
    ...[prefix, '/api/v1', '/x'].flatMap(pathsBelow)])
  t.ok(document.components.schemas['def-0'].properties.theirs)
  const ids = Object.values<any>(document.paths).flatMap((methods) => Object.values<any>(methods).map(({ operationId }) => operationId))
  t.equal(new Set(ids).size, 1 + 3 * 10)
  t.match(ids, ['createStudent', 'college_createStudent'])
  t.ok(ids.includes('api_v1_listStudents'))
  t.ok(ids.includes('minecreateStudent'))

  const own = (await host.inject(`${prefix}/openapi.json`)).json()
  t.strictSame(Object.keys(own.paths), pathsBelow(prefix))
  t.equal(own.info.title, 'Student Course API')
})

t.test('a host chooses what is documented: its own document may lack the routes, and the page may be none or of its own looks', async (t) => {
  const refuse = ({ schema, url }: { schema: { body?: unknown }, url: string }) => {
    if (schema?.body) throw new Error('is no schema of Zod')
    return { schema, url }
  }
  const host = await buildHost(t, async (host) => host.register(swagger, { openapi: { info: { title: 'Host', version: '1' } }, transform: refuse as never }))
  host.get('/host', async () => ({}))
  const database = newDatabase(t)
  const auth = { keys: ['x'.repeat(32)] }
  const theme = { title: 'Mine', css: [{ filename: 'mine.css', content: 'a {}' }], js: [{ filename: 'mine.js', content: '' }], favicon: [] }
  await host.register(studentCourseApi, { prefix, client, database, docs: { inHost: false, theme } })
  await host.register(studentCourseApi, { prefix: '/guarded', client, database, auth, docs: { inHost: false, ui: false } })
  await host.ready()
  t.strictSame(Object.keys(host.swagger().paths ?? {}), ['/host'])
  for (const path of [prefix, '/guarded']) t.ok((await host.inject(`${path}/openapi.json`)).json().paths[`${path}/students/`], path)
  t.equal((await host.inject('/guarded/docs')).statusCode, 404)
  const page = await host.inject(`${prefix}/docs`)
  t.match(page.body, /name="viewport"[^]*<title>Mine<[^]*docs\.css[^]*mine\.css[^]*docs\.js[^]*mine\.js/)
  t.notMatch(page.body, /icon\.svg/)
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self';/)
})

t.test('the host may use OpenAPI 3.0', async (t) => {
  const host = await buildHost(t, async (host) => host.register(swagger, { openapi: { openapi: '3.0.3', info: { title: 'Host', version: '1' } } }))
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  await host.ready()
  const validator = new Validator()
  t.strictSame(await validator.validate(JSON.parse(JSON.stringify(host.swagger()))), { valid: true })
  t.equal(validator.version, '3.0')
})

t.test('a host\'s OpenAPI document has the security scheme of the routes, of its own or ours', async (t) => {
  const auth = { keys: ['x'.repeat(32)] }
  const own = { type: 'http', scheme: 'bearer' } as const
  const cases: [Record<string, typeof own> | undefined, object][] = [
    [undefined, { type: 'oauth2', flows: { password: { tokenUrl: '/college/token' } } }],
    [{ other: own }, { type: 'oauth2' }],
    [{ access: own }, own]
  ]
  for (const [securitySchemes, scheme] of cases) {
    const openapi: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = securitySchemes ? { components: { securitySchemes } } : {}
    const host = await buildHost(t, async (host) => host.register(swagger, { openapi }))
    await host.register(studentCourseApi, { prefix: '/college/', client, database: newDatabase(t), auth })
    await host.ready()
    const document = structuredClone(host.swagger()) as Record<string, any> // OpenAPI
    t.match(document.components.securitySchemes.access, scheme)
    t.strictSame(document.paths['/college/students/'].get.security, [{ access: ['students:read'] }])
    t.strictSame(await new Validator().validate(document), { valid: true })
    t.strictSame(openapi, securitySchemes ? { components: { securitySchemes } } : {}, 'the options of the host are as they were')
  }
})

t.test('the host\'s compilers, decorators and router options do not disturb the plugin', async (t) => {
  const refuse = () => { throw new Error('for schemas of another kind') }
  const hosts: [what: string, options: FastifyServerOptions, prepare: (host: FastifyInstance) => unknown][] = [
    ['compilers for other schemas', {}, (host) => host.setValidatorCompiler(refuse).setSerializerCompiler(refuse)],
    ['decorators of the same names', {}, (host) => {
      for (const name of ['students', 'storeGuard', 'closePaths', 'swagger']) host.decorate(name, 'the host\'s')
    }],
    ['ignoreTrailingSlash', { routerOptions: { ignoreTrailingSlash: true } }, () => {}],
    ['a prefix with a slash at its end', {}, () => {}]
  ]
  for (const [what, options, prepare] of hosts) {
    const host = Fastify(options)
    t.teardown(() => host.close())
    prepare(host)
    await host.register(studentCourseApi, { prefix: what.endsWith('end') ? `${prefix}/` : prefix, client, database: newDatabase(t) })
    const id = await create(host)
    for (const path of ['', '/', `/${id}`]) t.equal((await host.inject(`${prefix}/students${path}`)).statusCode, 200, `${what}: ${path}`)
    t.equal((await host.inject({ method: 'PATCH', url: `${prefix}/students` })).statusCode, 405)
    t.equal((await host.inject(`${prefix}/docs`)).statusCode, 200)
    if (what.startsWith('decorators')) t.equal((host as unknown as { students: string }).students, 'the host\'s')
  }
})

t.test('the method QUERY of the lists is none of the host\'s routes, and one of its own keeps its ways', async (t) => {
  const host = await buildHost(t)
  host.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  host.get('/host', async () => 'its own')
  host.route({ method: 'QUERY', url: '/asked', handler: async ({ body }) => ({ body }) })
  const methods = host.supportedMethods
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  const headers = { 'content-type': 'text/csv' }
  t.strictSame(host.supportedMethods, methods)
  t.equal((await host.inject({ method: 'QUERY', url: '/host', headers, payload: 'a' })).statusCode, 404)
  const asked = await host.inject({ method: 'QUERY', url: '/asked', headers, payload: 'a' })
  t.strictSame(asked.json(), { body: 'a' })
  t.notOk((await host.inject('/host')).headers['accept-query'])
  const ours = await host.inject({ method: 'QUERY', url: `${prefix}/students`, payload: { limit: 1 } })
  t.equal(ours.headers.location, `${prefix}/students?limit=1`)
})

t.test('HEAD is answered also in a host that makes no HEAD routes', async (t) => {
  const host = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => host.close())
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  t.equal((await host.inject({ method: 'HEAD', url: `${prefix}/students` })).statusCode, 200)
  t.equal((await host.inject({ method: 'POST', url: `${prefix}/docs` })).statusCode, 405)
})

t.test('the plugin reads no environment variable', async (t) => {
  const seen: string[] = []
  const { env } = process
  process.env = new Proxy(env, {
    get: (target, name) => {
      if (typeof name === 'string') seen.push(name)
      return target[String(name)]
    }
  })
  t.teardown(() => { process.env = env })
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  await host.register(studentCourseApi, { prefix: '/url', url, database: newDatabase(t) })
  await host.register(studentCourseApi, { prefix: '/embedded', embedded: t.testdir() })
  await create(host)
  t.ok(seen.length > 0, 'the check does see what is read')
  t.strictSame(seen.filter((name) => name in Config.properties), [])
})
