import { randomUUID } from 'node:crypto'
import fastifyMongodb from '@fastify/mongodb'
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { MongoClient, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { Config } from '../config.js'
import studentCourseApi, { type AppOptions, type StudentRepository, type Student } from '../app.js'
import { client, url } from './store.js'
import { janeDoe, unknownId } from './samples.js'

const prefix = '/college'

/** A larger app with routes and ways of its own. */
async function buildHost (t: Test, prepare?: (host: FastifyInstance) => Promise<unknown>) {
  const host = Fastify()
  t.teardown(() => host.close())
  await prepare?.(host)
  return host
}

/** A database name of the test's own, dropped with it. */
function newDatabase (t: Test) {
  const database = `test_${randomUUID()}`
  t.teardown(() => client.db(database).dropDatabase())
  return database
}

async function create (host: FastifyInstance, path = `${prefix}/students/`): Promise<string> {
  const answer = await host.inject({ method: 'POST', url: path, payload: janeDoe })
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return answer.json().id
}

const isStored = async (id: string, database: string) =>
  await client.db(database).collection('students').findOne({ _id: new ObjectId(id) }) !== null

t.test('the plugin runs on each kind of database, in a host with and without a mongodb of its own', async (t) => {
  for (const hostHasMongo of [false, true]) {
    const prepare = async (host: FastifyInstance) => {
      if (hostHasMongo) await host.register(fastifyMongodb, { url, database: 'host' })
    }
    const who = hostHasMongo ? 'a host with mongodb' : 'a host without mongodb'

    for (const [kind, source] of [['client', { client }], ['url', { url }]] as const) {
      t.test(`${kind}, in ${who}`, async (t) => {
        const host = await buildHost(t, prepare)
        const { mongo } = host
        const database = newDatabase(t)
        await host.register(studentCourseApi, { prefix, database, ...source })
        t.ok(await isStored(await create(host), database))
        t.equal(host.mongo, mongo, 'the host has the mongo that it had')
        t.equal(host.hasDecorator('mongo'), hostHasMongo)
      })
    }

    t.test(`embedded, in ${who}`, async (t) => {
      const host = await buildHost(t, prepare)
      const { mongo } = host
      await host.register(studentCourseApi, { prefix, embedded: t.testdir() })
      const id = await create(host)
      t.notOk(await isStored(id, 'college'), 'in a store of its own')
      t.equal((await host.inject(`${prefix}/students/${id}`)).statusCode, 200)
      t.equal(host.mongo, mongo)
    })
  }
})

t.test('without a database of its own the plugin takes the host\'s connection, with database college', async (t) => {
  const host = await buildHost(t, async (host) => host.register(fastifyMongodb, { url, database: 'host' }))
  await host.register(studentCourseApi, { prefix })
  const id = await create(host)
  t.teardown(() => client.db('college').collection('students').deleteOne({ _id: new ObjectId(id) }))
  t.ok(await isStored(id, 'college'))
  t.notOk(await isStored(id, 'host'))
})

t.test('on the host\'s connection the database may be given, and the host\'s BSON options do no harm', async (t) => {
  for (const bson of [{ promoteValues: false }, { promoteLongs: false }, { useBigInt64: true }, { raw: true }]) {
    const database = newDatabase(t)
    const host = await buildHost(t, async (host) => host.register(fastifyMongodb, { url, database: 'host', ...bson }))
    await host.register(studentCourseApi, { prefix, database })
    const id = await create(host)
    t.ok(await isStored(id, database))
    t.strictSame((await host.inject(`${prefix}/students/${id}`)).json(), { id, ...janeDoe }, JSON.stringify(bson))
    t.equal((await host.inject({ method: 'DELETE', url: `${prefix}/students/${id}` })).statusCode, 204)
  }
})

t.test('without any database registering fails, and says what to pass', async (t) => {
  const host = await buildHost(t)
  await t.rejects(async () => host.register(studentCourseApi, { prefix }), {
    code: 'SCA_SETUP',
    message: 'student-course-api: no database: pass url, client or embedded, or register @fastify/mongodb before'
  })
})

t.test('of a host whose connections have names, the plugin takes the first', async (t) => {
  const host = await buildHost(t, async (host) => host.register(fastifyMongodb, { client, name: 'main' }))
  t.equal(host.mongo.client, client, '@fastify/mongodb makes the first named one the unnamed one too')
  await host.register(studentCourseApi, { prefix, database: newDatabase(t) })
  t.ok(await create(host))
})

t.test('more than one database is refused', async (t) => {
  const host = await buildHost(t)
  await t.rejects(async () => host.register(studentCourseApi, { client, url }), {
    message: 'student-course-api: pass only one of url, client and embedded'
  })
})

t.test('a connection whose writes are not acknowledged is refused, whoever brings it', async (t) => {
  const expected = { code: 'SCA_SETUP', message: /the write concern w=0 does not tell whether a write worked: set w=1 or w=majority/ }
  const refuses = async (options: AppOptions, prepare = async (_host: FastifyInstance) => {}) => {
    const host = Fastify()
    t.teardown(() => host.close())
    await prepare(host)
    await t.rejects(async () => host.register(studentCourseApi, options), expected)
  }
  for (const w of [0, '0' as unknown as number]) { // as JavaScript may have it
    const client = new MongoClient(url, { writeConcern: { w } })
    t.teardown(() => client.close())
    await refuses({ client })
    await refuses({}, async (host) => { await host.register(fastifyMongodb, { client, database: 'x' }) })
  }
  await refuses({ url: `${url}${url.includes('?') ? '&' : '?'}w=0` })
})

t.test('closing the app closes only what the plugin opened', async (t) => {
  const own = await MongoClient.connect(url)
  t.teardown(() => own.close())
  const host = Fastify()
  const database = newDatabase(t)
  await host.register(studentCourseApi, { prefix: '/a', client: own, database })
  let opened: MongoClient | undefined
  await host.register(async (scope) => {
    scope.addHook('onRoute', function () { opened = this.hasDecorator('mongo') ? this.mongo.client : opened })
    await scope.register(studentCourseApi, { prefix: '/b', url, database })
  })
  await host.ready()
  const listeners = own.listenerCount('topologyDescriptionChanged')
  await host.close()
  t.ok(await own.db(database).command({ ping: 1 }))
  t.equal(own.listenerCount('topologyDescriptionChanged'), listeners - 1, 'nothing of the plugin stays on it')
  t.ok(opened)
  await t.rejects(async () => opened?.db(database).command({ ping: 1 }), { name: 'MongoNotConnectedError' })
})

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
    ...[prefix, '/api/v1', '/x'].flatMap((path) => [`${path}/students/`, `${path}/students/{id}`, `${path}/users/{username}`])])
  t.ok(document.components.schemas['def-0'].properties.theirs)
  const ids = Object.values<any>(document.paths).flatMap((methods) => Object.values<any>(methods).map(({ operationId }) => operationId))
  t.equal(new Set(ids).size, 19)
  t.match(ids, ['createStudent', 'college_createStudent'])
  t.ok(ids.includes('api_v1_listStudents'))
  t.ok(ids.includes('minecreateStudent'))

  const own = (await host.inject(`${prefix}/openapi.json`)).json()
  t.strictSame(Object.keys(own.paths), [`${prefix}/students/`, `${prefix}/students/{id}`, `${prefix}/users/{username}`])
  t.equal(own.info.title, 'Student Course API')
})

t.test('the host may use OpenAPI 3.0', async (t) => {
  const host = await buildHost(t, async (host) => host.register(swagger, { openapi: { openapi: '3.0.3', info: { title: 'Host', version: '1' } } }))
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  await host.ready()
  const validator = new Validator()
  t.strictSame(await validator.validate(JSON.parse(JSON.stringify(host.swagger()))), { valid: true })
  t.equal(validator.version, '3.0')
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

t.test('Swagger UI under a prefix finds its files and its document there', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  const page = await host.inject(`${prefix}/docs`)
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => String(file))
  t.ok(files.length >= 4)
  for (const file of files) {
    const path = new URL(file, `http://x${prefix}/docs`).pathname
    t.ok(path.startsWith(`${prefix}/docs/`))
    t.equal((await host.inject(path)).statusCode, 200, path)
  }
  t.ok((await host.inject(`${prefix}/docs/json`)).json().paths[`${prefix}/students/`])
})

t.test('two registrations with different prefixes and databases do not meet', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix: '/day', url, database: newDatabase(t) })
  await host.register(studentCourseApi, { prefix: '/evening', embedded: t.testdir(), database: 'evening' })
  const id = await create(host, '/day/students')
  t.equal((await host.inject(`/day/students/${id}`)).statusCode, 200)
  t.equal((await host.inject(`/evening/students/${id}`)).statusCode, 404)
})

t.test('Location holds the prefix', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  const { headers } = await host.inject({ method: 'POST', url: `${prefix}/students`, payload: janeDoe })
  t.match(headers.location, /^\/college\/students\/[0-9a-f]{24}$/)
  t.equal((await host.inject(String(headers.location))).statusCode, 200)
})

t.test('Location is a path that leads back, whatever the prefix', async (t) => {
  for (const [prefix, path] of [['/学生', '/%E5%AD%A6%E7%94%9F'], ['/:tenant', '/a%20b']] as const) {
    const host = await buildHost(t)
    await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
    // over a socket, since that alone refuses letters that a header can't hold
    const url = await host.listen()
    for (const students of [`${path}/students`, `${path}/students/`, `${path}/students/?x=/y/`]) {
      const headers = { 'content-type': 'application/json' }
      const created = await fetch(url + students, { method: 'POST', headers, body: JSON.stringify(janeDoe) })
      t.equal(created.status, 201)
      t.match(created.headers.get('location'), new RegExp(`^${path}/students/[0-9a-f]{24}$`))
      t.equal((await fetch(url + created.headers.get('location'))).status, 200)
    }
  }
})

t.test('an option that is not what it has to be fails at register, with all the others', async (t) => {
  const host = await buildHost(t)
  const wrong = { url: 5, client: {}, embedded: '', database: 'a b', timeoutMs: -1, students: {}, users: null, couchbase: { url: 'x' }, docs: 1, operationIdPrefix: 1, bodyLimit: 'x' }
  await t.rejects(async () => host.register(studentCourseApi, wrong as object), {
    code: 'SCA_SETUP',
    message: 'student-course-api: url must be a MongoDB URL; client must be a MongoClient; embedded must be the path of a folder; ' +
      'database must be the name of a database; timeoutMs must be a whole number of milliseconds above 0; students must be a StudentRepository; ' +
      'users must be a UserStore; couchbase must be an object with url, username, password and bucket; docs must be true or false; ' +
      'operationIdPrefix must be text; bodyLimit must be a whole number of bytes above 0'
  })
})

t.test('a prefix that is taken is refused at register', async (t) => {
  const host = await buildHost(t)
  const options = { prefix, client, database: newDatabase(t) }
  await host.register(studentCourseApi, options)
  await t.rejects(async () => host.register(studentCourseApi, options), { message: /^student-course-api: there is a \/college\/students\/ already/ })
})

t.test('profiles may live on Couchbase, whose package is asked for only then', async (t) => {
  const host = await buildHost(t)
  const couchbase = { url: 'couchbase://127.0.0.1:1', username: 'user', password: 's3cret', bucket: 'b', timeoutMs: 200 }
  const error: Error = await Promise.resolve(host.register(studentCourseApi, { prefix, client, database: newDatabase(t), couchbase })).then(() => new Error('registered'), (error) => error)
  // which of the two depends on whether the optional package is there
  t.match(error.message, /^student-course-api: (profiles on Couchbase need the package couchbase|Couchbase at 127\.0\.0\.1:1 is out of reach)/)
  t.notMatch(error.message, /s3cret/)
})

t.test('HEAD is answered also in a host that makes no HEAD routes', async (t) => {
  const host = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => host.close())
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  t.equal((await host.inject({ method: 'HEAD', url: `${prefix}/students` })).statusCode, 200)
  t.equal((await host.inject({ method: 'POST', url: `${prefix}/docs` })).statusCode, 405)
})

t.test('a repository of one\'s own takes the place of the database', async (t) => {
  const stored = new Map<string, any>() // a store for a test
  const students: StudentRepository = {
    async create (fields) {
      stored.set(unknownId, { id: unknownId, ...fields })
      return stored.get(unknownId)
    },
    list: async () => [...stored.values()],
    find: async (id) => stored.get(id),
    update: async (id, changes) => stored.has(id) ? Object.assign(stored.get(id), changes) : undefined,
    delete: async (id) => stored.delete(id)
  }
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, students })
  const path = `${prefix}/students/${unknownId}`

  t.equal((await host.inject({ method: 'PUT', url: path, payload: { gpa: '2.0' } })).statusCode, 404)
  t.equal(await create(host), unknownId)
  t.strictSame((await host.inject({ method: 'PUT', url: path, payload: { gpa: '2.0', name: null } })).json(), { id: unknownId, ...janeDoe, gpa: 2 })
  t.equal((await host.inject(`${prefix}/students`)).json().students.length, 1)
  t.equal((await host.inject({ method: 'DELETE', url: path })).statusCode, 204)
  t.equal((await host.inject(path)).statusCode, 404)
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

t.test('an option that there is not is refused by its name, with the one that is meant', async (t) => {
  for (const [options, message] of [
    [{ Auth: { keys: ['x'.repeat(32)] } }, /Auth is not an option; did you mean auth\?/],
    [{ databse: 'x', Url: 'y' }, /databse is not an option; did you mean database\?; Url is not an option; did you mean url\?/],
    [{ somethingElse: undefined }, /somethingElse is not an option$/],
    [{ auth: { keys: ['x'.repeat(32)], isuer: 'x' } }, /auth\.isuer is not an option; did you mean auth\.issuer\?/],
    [{ couchbase: { url: 'x', username: 'x', password: 'x', bucket: 'x', timeout: 5 } }, /couchbase\.timeout is not an option/],
    [{ toString: 1 }, /toString is not an option/]
  ] as const) {
    const host = await buildHost(t)
    await t.rejects(async () => host.register(studentCourseApi, { client, ...options }), { code: 'SCA_SETUP', message })
  }
  const host = await buildHost(t)
  await t.resolves(async () => { await host.register(studentCourseApi, { prefix, client, database: newDatabase(t), logLevel: 'warn', logSerializers: {} }) })
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

t.test('one prefix with and without a slash at its end is one place', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix: '/college/', client, database: newDatabase(t), auth: { keys: ['x'.repeat(32)] } })
  const { components } = (await host.inject('/college/openapi.json')).json()
  t.equal(components.securitySchemes.access.flows.password.tokenUrl, '/college/token')
  const page = await host.inject('/college/docs/')
  t.equal(page.statusCode, 200)
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.equal((await host.inject(new URL(String(path), 'http://x/college/docs/').pathname)).statusCode, 200, String(path))
  }
  for (const [first, second] of [['/college/', '/college'], ['/college', '/college/']] as const) {
    const crowded = await buildHost(t)
    await crowded.register(studentCourseApi, { prefix: first, client, database: newDatabase(t) })
    await t.rejects(async () => crowded.register(studentCourseApi, { prefix: second, client }), { code: 'SCA_SETUP', message: /there is a \/college\/students\/ already/ })
  }
})

t.test('many registrations on one client are no leak to Node, and leave its limit as it was', async (t) => {
  const limit = client.getMaxListeners()
  const warnings: Error[] = []
  const listener = (warning: Error) => warnings.push(warning)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const host = await buildHost(t)
  const database = newDatabase(t)
  for (let index = 0; index < 20; index++) await host.register(studentCourseApi, { prefix: `/college${index}`, client, database, docs: false })
  await new Promise(setImmediate)
  t.strictSame(warnings, [])
  await host.close()
  t.equal(client.getMaxListeners(), limit)
})

t.test('a repository of the host may have ids of its own: a student is found at its Location, any other text is 422', async (t) => {
  const stored = new Map<string, Student>()
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const students: StudentRepository = {
    id: Type.String({ pattern: uuid.source, examples: ['7c9e6679-7425-40de-944b-e07fc1f90ae7'] }),
    create: async (fields) => {
      const student = { id: randomUUID(), ...fields }
      stored.set(student.id, student)
      return student
    },
    list: async () => [...stored.values()],
    find: async (id) => stored.get(id),
    update: async (id, changes) => Object.assign(stored.get(id) ?? {}, changes) as Student, // of one that is there
    delete: async (id) => stored.delete(id)
  }
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, students })
  const created = await host.inject({ method: 'POST', url: `${prefix}/students/`, payload: janeDoe })
  const url = String(created.headers.location)
  t.match(url.split('/').at(-1), uuid)
  t.equal((await host.inject(url)).statusCode, 200)
  t.equal((await host.inject({ method: 'PUT', url, payload: { gpa: 1 } })).json().gpa, 1)
  t.equal((await host.inject(`${prefix}/students/${unknownId}`)).statusCode, 422)
  t.equal((await host.inject({ method: 'DELETE', url })).statusCode, 204)
  t.equal((await host.inject(url)).statusCode, 404)
  const { paths } = (await host.inject(`${prefix}/openapi.json`)).json()
  t.equal(paths['/college/students/{id}'].get.parameters[0].schema.pattern, uuid.source)
})
