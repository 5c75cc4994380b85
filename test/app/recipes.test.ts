import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { StoreUnavailableError } from '../../app.js'
import { recipeModules, recipesOfPackage, resourceModule } from '../recipes.js'
import { janeDoe } from '../samples.js'
import { client } from '../store.js'
import { newDatabase, prefix } from './host.js'

const modules = await recipeModules()
const tested = new Set(recipesOfPackage)

async function load (t: Test, source: string) {
  const file = join(t.testdir(), 'recipe.js')
  await writeFile(file, source)
  return import(pathToFileURL(file).href)
}

/** A host that a recipe of docs/plugin.md has been run in, with what was logged and reported there. */
async function cook (t: Test, heading: string, store: object = { client, database: newDatabase(t) }) {
  tested.add(heading)
  const lines: { audit?: object }[] = []
  const stream = new Writable({
    write (line, _encoding, done) {
      lines.push(JSON.parse(String(line)))
      done()
    }
  })
  const app = Fastify({ logger: { stream } })
  t.teardown(() => app.close())
  const reports: { error: Error, context: object }[] = []
  const { default: run } = await load(t, String(modules.get(heading)))
  await run({ app, store, report: (error: Error, context: object) => reports.push({ error, context }) })
  const ask = (method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS', path: string, payload?: object, headers = {}) =>
    app.inject({ method, url: prefix + path, headers, ...payload && { payload } })
  return { app, ask, lines, reports }
}

t.test('a route that a host hides is in no document, and answered by the host', async (t) => {
  const { app, ask } = await cook(t, 'Hide a route')
  app.setNotFoundHandler((_request, reply) => { reply.code(404).send({ host: 'nothing' }) })
  const { id } = (await ask('POST', '/students/', janeDoe)).json()
  t.strictSame((await ask('DELETE', `/students/${id}`)).json(), { host: 'nothing' })
  t.equal((await ask('GET', `/students/${id}`)).statusCode, 200)
  const { paths } = (await ask('GET', '/openapi.json')).json()
  t.strictSame(Object.keys(paths[`${prefix}/students/{id}`]), ['get', 'put', 'patch'])
})

t.test('a host logs who changed what, and what came of it', async (t) => {
  const { ask, lines } = await cook(t, 'Audit who changed what')
  const headers = { authorization: 'Bearer of-alice' }
  const { id } = (await ask('POST', '/students/', janeDoe, headers)).json()
  await ask('GET', `/students/${id}`, undefined, headers)
  await ask('DELETE', `/students/${id}`)
  await ask('DELETE', `/students/${id}`, undefined, headers)
  t.strictSame(lines.flatMap(({ audit }) => audit ?? []), [
    { caller: 'alice', operationId: 'college_createStudent', params: {}, status: 201 },
    { operationId: 'college_deleteStudent', params: { id }, status: 401 },
    { caller: 'alice', operationId: 'college_deleteStudent', params: { id }, status: 204 }
  ])
})

t.test('a host reports what is wrong with the server, and neither faults of requests nor outages', async (t) => {
  const students = {
    create: async () => { throw new StoreUnavailableError('Nothing was changed.') },
    list: async () => { throw new TypeError('by the host') },
    find: async () => undefined,
    update: async () => undefined,
    delete: async () => false
  }
  const { ask, reports } = await cook(t, 'Report errors', { students })
  t.equal((await ask('POST', '/students/', {})).statusCode, 422)
  t.equal((await ask('POST', '/students/', janeDoe)).statusCode, 503)
  const failed = await ask('GET', '/students/')
  t.equal(failed.statusCode, 500)
  t.notMatch(failed.body, 'by the host')
  t.match(reports, [{ error: { message: 'by the host' }, context: { requestId: /req-/, route: `${prefix}/students/` } }])
  t.equal(reports.length, 1)
})

t.test('students have further fields, and there are rooms beside them', async (t) => {
  const { ask } = await cook(t, 'Add fields and resources')
  t.match((await ask('POST', '/students/', { ...janeDoe, year: 3 })).json(), { year: 3 })
  t.match((await ask('POST', '/rooms/', { label: 'A 12', seats: 0 })).json(), { errors: [{ pointer: '/seats', detail: 'must be >= 1' }] })
})

t.test('students are in a collection of the host\'s', async (t) => {
  const database = newDatabase(t)
  const { ask } = await cook(t, 'Use a collection of your own', { client, database })
  t.equal((await ask('POST', '/students/', janeDoe)).statusCode, 201)
  t.equal(await client.db(database).collection('pupils').countDocuments(), 1)
})

t.test('students have UUIDs, and rooms ids that the host makes', async (t) => {
  const { ask } = await cook(t, 'Use ids of your own')
  for (const [path, payload, made] of [['/students/', janeDoe, /^[0-9a-f-]{36}$/], ['/rooms/', { label: 'A 12', seats: 30 }, /^ROOM-[0-9A-F]{24}$/]] as const) {
    const { id } = (await ask('POST', path, payload)).json()
    t.match(id, made)
    t.match((await ask('GET', path + id)).json(), { id, ...payload })
  }
})

t.test('faults of a value are told in the host\'s words, however it comes', async (t) => {
  const { app, ask } = await cook(t, 'Say what is wrong in your own words')
  const fault = { detail: 'muss eine Note von 0 bis 4 sein' }
  for (const gpa of [5, 'A', null, []]) {
    t.strictSame((await ask('POST', '/students/', { ...janeDoe, gpa })).json().errors, [{ pointer: '/gpa', ...fault }], JSON.stringify(gpa))
  }
  const { gpa, ...others } = janeDoe
  t.strictSame((await ask('POST', '/students/', others)).json().errors, [{ pointer: '/gpa', detail: 'is required' }])
  const batch = await ask('POST', '/students/batch', { operations: [{ op: 'create', data: { ...janeDoe, gpa: 5 } }] })
  t.match(batch.json().results, [{ problem: { errors: [fault] } }])
  const { body } = await app.inject({ method: 'POST', url: `${prefix}/students/import`, headers: { 'content-type': 'application/x-ndjson' }, payload: JSON.stringify({ ...janeDoe, gpa: 5 }) })
  t.match(body, fault.detail)
})

t.test('callers without the scope see a list without grades, and find nothing by them', async (t) => {
  const database = newDatabase(t)
  await client.db(database).collection('students').insertOne({ ...janeDoe })
  const { ask } = await cook(t, 'Show less to some callers', { client, database })
  const teacher = { 'x-teacher': 'yes' }
  const [{ id, ...shown }] = (await ask('GET', '/students/')).json().students
  const { gpa, ...others } = janeDoe
  t.strictSame(shown, others)
  t.notOk('gpa' in (await ask('GET', `/students/${id}`)).json())
  t.equal((await ask('GET', `/students/${id}?fields=gpa`)).body, JSON.stringify({ id }))
  t.equal((await ask('GET', '/students/?fields=gpa', undefined, teacher)).body, JSON.stringify({ students: [{ id, gpa }] }))
  for (const path of ['?gpa.gt=3', '?sort=-gpa', 'export']) {
    t.match((await ask('GET', `/students/${path}`)).json(), { status: 403, detail: 'This requires the scope grades:read.' }, path)
    t.equal((await ask('GET', `/students/${path}`, undefined, teacher)).statusCode, 200, path)
  }
})

t.test('a host adds routes that use the records, the caller and the access control of the API', async (t) => {
  const { ask } = await cook(t, 'Add routes of your own')
  t.strictSame((await ask('GET', '/honours')).json(), { seenBy: 'alice', students: [] })
  t.match((await ask('POST', '/honours')).json(), { status: 405 })
  t.ok((await ask('GET', '/openapi.json')).json().paths[`${prefix}/honours`])
})

t.test('the resources of docs/adding-a-resource.md are served', async (t) => {
  const apps = [Fastify(), Fastify()] as const
  t.teardown(async () => Promise.all(apps.map((app) => app.close())))
  const { default: run } = await load(t, await resourceModule())
  await run({ apps, store: { client, database: newDatabase(t) } })
  const [app, other] = apps
  const payload = { title: 'Nanophotonics', teacher: 'Ada Lovelace', credits: 61, is_open: true }
  for (const each of apps) t.match((await each.inject({ method: 'POST', url: '/courses/', payload })).json().errors, [{ pointer: '/credits', detail: 'must be <= 60' }])
  t.equal((await app.inject({ method: 'POST', url: '/courses/', payload: { ...payload, credits: 6 } })).statusCode, 201)
  t.match((await other.inject({ method: 'POST', url: '/students/', payload: { ...janeDoe, year: 3 } })).json(), { year: 3 })
})

t.test('each recipe is run', async (t) => {
  t.strictSame([...modules.keys()].sort(), [...tested].sort())
})
