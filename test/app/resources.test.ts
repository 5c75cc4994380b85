import { Type } from '@sinclair/typebox'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Double, Int32, Long, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import studentCourseApi, { defineResource, extendResource, student, text, type AppOptions } from '../../app.js'
import { build } from '../build.js'
import { janeDoe, unknownId } from '../samples.js'
import { buildHost, newDatabase, prefix } from './host.js'
import { client } from '../store.js'

const course = defineResource({
  name: 'course',
  description: 'Courses.',
  fields: {
    title: text(200),
    level: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['first', 'second'] })),
    credits: Type.Integer({ minimum: 0, maximum: 1e12 }),
    is_open: Type.Boolean(),
    begins: Type.Optional(Type.String({ format: 'date-time' }))
  },
  example: { title: 'Nanophotonics', level: 'first', credits: 6, is_open: true }
})

const nanophotonics = { ...course.example, begins: '2026-09-01T08:00:00.000Z' }

t.test('a second resource has the routes of the first', async (t) => {
  const { app, inject } = await build(t, { resources: [course] })
  const created = await inject('POST', '/courses/', { ...nanophotonics, id: 'no', other: 1 })
  t.equal(created.statusCode, 201)
  const { id, ...fields } = created.json()
  t.strictSame(fields, nanophotonics)
  t.equal(created.headers.location, `/courses/${id}`)
  t.strictSame((await inject('GET', `/courses/${id}`)).json(), { id, ...nanophotonics })
  t.strictSame((await inject('GET', '/courses')).json(), { courses: [{ id, ...nanophotonics }] })
  t.strictSame((await inject('PUT', `/courses/${id}`, { credits: 3, title: null })).json(), { id, ...nanophotonics, credits: 3 })
  t.equal((await inject('GET', '/students/')).json().students.length, 0)
  t.equal((await inject('DELETE', `/courses/${id}`)).statusCode, 204)
  t.match((await inject('GET', `/courses/${id}`)).json(), { status: 404, detail: `Course ${id} not found` })
  t.equal((await inject('PATCH', '/courses/')).headers.allow, 'POST, GET, HEAD, QUERY, OPTIONS')
  const faults = (await inject('POST', '/courses/', { title: '', level: 'third', credits: 1.5, is_open: 'yes', begins: 'today' })).json()
  t.equal((await inject('POST', '/courses/', { ...nanophotonics, begins: '2016-12-31T23:59:60Z' })).statusCode, 422, 'a leap second, which no Date can be')
  t.strictSame(faults.errors.map(({ pointer }: { pointer: string }) => pointer), ['/title', '/level', '/credits', '/is_open', '/begins'])
  t.strictSame(await new Validator().validate((await app.inject('/openapi.json')).json()), { valid: true })
})

t.test('fields are stored by the type of their schema, and shown where the stored type fits', async (t) => {
  const { inject, database } = await build(t, { resources: [course] })
  const collection = database.collection('courses', { promoteValues: false })
  const created = (await inject('POST', '/courses/', { ...nanophotonics, credits: 2 ** 31, begins: '2026-09-01T10:00:00+02:00' })).json()
  t.equal(created.begins, nanophotonics.begins, 'as it will be read')
  const { id } = created
  const stored = await collection.findOne({ _id: new ObjectId(id) })
  t.ok(stored?.credits instanceof Long)
  t.equal(String(stored?.credits), String(2 ** 31))
  t.equal(Number(stored?.begins), Date.parse(nanophotonics.begins))
  await inject('PUT', `/courses/${id}`, { credits: 7 })
  t.ok((await collection.findOne({ _id: new ObjectId(id) }))?.credits instanceof Int32)
  await collection.findOneAndUpdate({ _id: new ObjectId(id) }, { $set: { credits: new Double(7.5), level: 'third', begins: 'today', is_open: 1 } })
  t.strictSame((await inject('GET', `/courses/${id}`)).json(), { id, title: nanophotonics.title })
})

t.test('a merge patch removes an optional field, also in a retry, and a list is filtered by fields of every type', async (t) => {
  const { app, inject } = await build(t, { resources: [course] })
  const created = await inject('POST', '/courses/', nanophotonics)
  const url = `/courses/${created.json().id}`
  const headers = { 'if-match': String(created.headers.etag) }
  for (const n of [1, 2]) {
    const patched = await app.inject({ method: 'PATCH', url, headers, payload: { level: null } })
    t.equal(patched.statusCode, 200, `time ${n}`)
    t.notOk('level' in patched.json())
  }
  t.match((await inject('GET', url)).json(), { title: nanophotonics.title, begins: nanophotonics.begins })
  for (const [query, count] of [['level.exists=false', 1], ['level.exists=true', 0], ['is_open=true', 1], ['is_open.ne=true', 0], ['credits.in=6', 1], ['begins.lt=2026-09-01T10:00:00%2B02:00', 0],
    ['begins.exists=true&is_open.exists=true&credits.exists=true', 1], ['sort=-credits,begins', 1]] as const) {
    t.equal((await inject('GET', `/courses/?${query}`)).json().courses.length, count, query)
  }
  for (const [filter, count] of [[{ 'begins.lt': '2026-09-01T10:00:01+02:00', is_open: true, 'credits.in': [6, 7] }, 1], [{ or: [{ 'level.exists': true }, { 'is_open.ne': true }] }, 0]] as const) {
    const { headers, body } = await inject('QUERY', '/courses/', { filter })
    t.equal(JSON.parse(body).courses.length, count, JSON.stringify(filter))
    if (headers.location) t.equal((await inject('GET', String(headers.location))).body, body)
  }
})

t.test('students may have further fields, another collection and other scopes', async (t) => {
  const pupil = extendResource(student, {
    fields: { year: Type.Integer({ minimum: 1, maximum: 13 }) },
    example: { year: 3 },
    collection: 'pupils',
    scopes: { read: 'pupils:read', write: 'pupils:write' }
  })
  const { app, inject, database } = await build(t, { resources: [pupil], auth: { authenticate: async () => ({ username: 'x', scopes: ['pupils:write'] }) } })
  const created = (await inject('POST', '/students/', { ...janeDoe, gpa: '3.50', year: 4 })).json()
  t.strictSame({ ...created, id: '' }, { id: '', ...janeDoe, gpa: 3.5, year: 4 })
  t.equal(await database.collection('pupils').countDocuments(), 1)
  t.match((await inject('POST', '/students/', janeDoe)).json().errors, [{ pointer: '/year', detail: 'is required' }])
  t.match((await inject('GET', `/students/${unknownId}`)).json(), { status: 403, detail: 'This requires the scope pupils:read.' })
  const { components } = (await app.inject('/openapi.json')).json()
  t.strictSame(Object.keys(components.schemas.StudentModel.properties), ['id', 'name', 'email', 'course', 'gpa', 'year', 'etag'])
})

t.test('a field says in its own words what is wrong with its value, but not that it is missing', async (t) => {
  const { inject } = await build(t, { resources: [defineResource({ ...course, fields: { ...course.fields, credits: Type.Integer({ minimum: 0, 'x-message': 'count them' }) } })] })
  const faultsOf = async (body: object) => (await inject('POST', '/courses/', body)).json().errors
  for (const credits of [-1, 'x', null]) t.strictSame(await faultsOf({ ...nanophotonics, credits }), [{ pointer: '/credits', detail: 'count them' }])
  t.strictSame(await faultsOf({ ...nanophotonics, credits: undefined }), [{ pointer: '/credits', detail: 'is required' }])
})

t.test('tokens of the API hold the scopes of every resource', async (t) => {
  const { app, inject } = await build(t, { resources: [course], auth: { keys: ['x'.repeat(32)] } })
  const { components } = (await app.inject('/openapi.json')).json()
  const scopes = ['students:read', 'students:write', 'courses:read', 'courses:write', 'users:read', 'users:write']
  t.strictSame(Object.keys(components.securitySchemes.access.flows.password.scopes), scopes)
  t.strictSame(components.schemas.CreateUser.properties.scopes.items.enum, scopes)
  t.equal((await inject('GET', '/courses/')).statusCode, 401)
})

t.test('what can not be a resource is refused by name', async (t) => {
  const fields = { title: text(9) }
  const example = { title: 'x' }
  const plain = { name: 'course', description: 'Courses.', fields, example }
  t.throws(() => defineResource({ ...plain, name: 'Course' }), /cannot be named Course/)
  t.throws(() => defineResource({ ...plain, plural: 'a/b' }), /cannot be named a\/b/)
  t.throws(() => defineResource({ ...plain, fields: { id: text(9) }, example: { id: 'x' } }), /no field can be named id/)
  t.throws(() => defineResource({ ...plain, fields: { or: text(9) }, example: { or: 'x' } }), /no field can be named or/)
  const refused = async (options: object, reason: RegExp) => {
    const host = await buildHost(t)
    await t.rejects(async () => host.register(studentCourseApi, { prefix, client, ...options } as AppOptions), reason)
  }
  await refused({ resources: [course, course] }, /resources must be a list/)
  await refused({ resources: [plain] }, /resources must be a list/)
  await refused({ resources: 5 }, /resources must be a list/)
  const nested = defineResource({ ...plain, fields: { title: Type.Array(Type.String()) }, example: { title: ['x'] } })
  await refused({ resources: [nested] }, /course: a field has a schema that is not served/)
})

t.test('a path that the host has already is refused', async (t) => {
  const database = newDatabase(t)
  const host = await buildHost(t, async (host) => host.get('/college/courses/', async () => 'its own'))
  await t.rejects(async () => host.register(studentCourseApi, { prefix, client, database, resources: [course] }), /there is a \/college\/courses\/ already/)
})

t.test('resources of one name do not meet in two apps', async (t) => {
  const [one, other] = await Promise.all([courseOf(t, 'title'), courseOf(t, 'label')])
  t.strictSame(one, ['id', 'title'])
  t.strictSame(other, ['id', 'label'])
})

async function courseOf (t: Test, field: string) {
  const resource = defineResource({ name: 'course', description: 'Courses.', fields: { [field]: text(9) }, example: { [field]: 'x' } })
  const { inject } = await build(t, { resources: [resource] })
  return Object.keys((await inject('POST', '/courses/', { [field]: 'x' })).json())
}
