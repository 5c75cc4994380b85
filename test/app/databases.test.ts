import fastifyMongodb from '@fastify/mongodb'
import Fastify, { type FastifyInstance } from 'fastify'
import { MongoClient, ObjectId } from 'mongodb'
import t from 'tap'
import studentCourseApi, { type AppOptions } from '../../app.js'
import { janeDoe } from '../samples.js'
import { client, url } from '../store.js'
import { buildHost, create, isStored, newDatabase, prefix } from './host.js'

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

t.test('two registrations with different prefixes and databases do not meet', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix: '/day', url, database: newDatabase(t) })
  await host.register(studentCourseApi, { prefix: '/evening', embedded: t.testdir(), database: 'evening' })
  const id = await create(host, '/day/students')
  t.equal((await host.inject(`/day/students/${id}`)).statusCode, 200)
  t.equal((await host.inject(`/evening/students/${id}`)).statusCode, 404)
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

t.test('profiles may live on Couchbase, whose package is asked for only then', async (t) => {
  const host = await buildHost(t)
  const couchbase = { url: 'couchbase://127.0.0.1:1', username: 'user', password: 's3cret', bucket: 'b', timeoutMs: 200 }
  const error: Error = await Promise.resolve(host.register(studentCourseApi, { prefix, client, database: newDatabase(t), couchbase })).then(() => new Error('registered'), (error) => error)
  // which of the two depends on whether the optional package is there
  t.match(error.message, /^student-course-api: (profiles on Couchbase need the package couchbase|Couchbase at 127\.0\.0\.1:1 is out of reach)/)
  t.notMatch(error.message, /s3cret/)
})
