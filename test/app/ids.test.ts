import { Validator } from '@seriousme/openapi-schema-validator'
import { Binary, ObjectId, UUID } from 'mongodb'
import t, { type Test } from 'tap'
import { defineResource, student, uuids, type Ids } from '../../app.js'
import { build } from '../build.js'
import { janeDoe, unknownId } from '../samples.js'

const names: Ids = { pattern: '^[A-Za-z0-9._-]{1,100}$', of: (seed) => `S-${seed}` }
const kinds: Record<string, { ids: Ids, made: RegExp, wrong: string, unknown: string, stored: (id: string) => unknown }> = {
  uuids: { ids: uuids, made: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/, wrong: unknownId, unknown: '7c9e6679-7425-40de-944b-e07fc1f90ae7', stored: (id) => new UUID(id) },
  names: { ids: names, made: /^S-[0-9a-f]{24}$/, wrong: 'a b', unknown: 'nobody', stored: (id) => id }
}

/** The API with students that have these ids. */
async function withIds (t: Test, ids: Ids) {
  const { app, ...api } = await build(t, { resources: [defineResource({ ...student, ids })] })
  const ask = async (method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE', url: string, payload?: object | string, headers = {}) =>
    app.inject({ method, url, headers, ...payload !== undefined && { payload } })
  return { app, ask, ...api }
}

for (const [kind, { ids, made, wrong, unknown, stored }] of Object.entries(kinds)) {
  t.test(`students with ${kind} are created, read, changed and deleted by them`, async (t) => {
    const { app, ask, students } = await withIds(t, ids)
    const created = await ask('POST', '/students/', janeDoe)
    const { id } = created.json()
    const url = String(created.headers.location)
    t.match(id, made)
    t.equal(url, `/students/${id}`)
    t.strictSame((await students.findOne())?._id, stored(id))
    t.strictSame((await ask('GET', url)).json(), { id, ...janeDoe })
    t.equal((await ask('PUT', url, { gpa: 1 })).json().gpa, 1)
    t.equal((await ask('PATCH', url, { gpa: 2 }, { 'if-match': '"x"' })).statusCode, 412)
    const { etag } = (await ask('GET', url)).headers
    t.match((await ask('PATCH', url, { gpa: 2 }, { 'if-match': etag })).json(), { id, gpa: 2 })
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
      const payload = method === 'PUT' || method === 'PATCH' ? {} : undefined
      t.match((await ask(method, `/students/${unknown}`, payload)).json(), { status: 404, detail: `Student ${unknown} not found` })
      t.match((await ask(method, `/students/${encodeURIComponent(wrong)}`, payload)).json(), { status: 422, errors: [{ pointer: '/id', detail: `must match pattern "${ids.pattern}"` }] })
    }
    t.equal((await ask('DELETE', url)).statusCode, 204)
    t.equal((await ask('GET', url)).statusCode, 404)
    const document = (await ask('GET', '/openapi.json')).json()
    t.strictSame(await new Validator().validate(structuredClone(document)), { valid: true })
    const { parameters, responses } = document.paths['/students/{id}'].get
    t.match(parameters.find(({ name }: { name: string }) => name === 'id').schema, { pattern: ids.pattern })
    t.match(responses[200].content['application/json'].example.id, made)
    await app.close()
  })

  t.test(`lists of students with ${kind} are filtered, sorted and read page by page`, async (t) => {
    const { ask, students, inject } = await withIds(t, ids)
    const all: string[] = []
    for (const gpa of [1, 2, 3, 4]) all.push((await ask('POST', '/students/', { ...janeDoe, gpa })).json().id)
    await students.insertMany([{ ...janeDoe }, { _id: wrong as unknown as ObjectId, ...janeDoe }])
    const [first, second, third] = all
    const idsOf = async (query: string) => (await ask('GET', `/students/?${query}`)).json().students.map(({ id }: { id: string }) => id)
    t.strictSame(await idsOf(''), all, 'in the order of their making, without ids that are none')
    t.strictSame(await idsOf('sort=-id'), all.toReversed())
    t.strictSame(await idsOf(`id=${second}`), [second])
    t.strictSame(await idsOf(`id.in=${first}&id.in=${third}&id.in=${unknown}`), [first, third])
    t.strictSame(await idsOf(`id.gt=${second}&gpa.lt=4`), [third])
    t.equal((await idsOf('offset=1')).length, 3)
    const answer = await inject('QUERY', '/students/', { filter: { 'id.lte': first }, fields: ['id', 'etag'] })
    t.match(answer.json(), { students: [{ id: first, etag: String }] })
    t.match((await ask('GET', `/students/?id=${encodeURIComponent(wrong)}`)).json().errors, [{ parameter: 'id', detail: `must match pattern "${ids.pattern}"` }])
    t.match((await ask('GET', '/students/?created.gt=2026-01-01T00:00:00Z')).json().errors, [{ parameter: 'created.gt' }], 'they do not tell when they were made')

    const walked: string[] = []
    for (let url = '/students/?limit=1&sort=-gpa'; url;) {
      const { students, next = '' } = (await ask('GET', url)).json()
      walked.push(...students.map(({ id }: { id: string }) => id))
      url = next
    }
    t.strictSame(walked, all.toReversed())
    t.equal((await ask('GET', '/students/export?format=csv&fields=id')).body, ['id', ...all, ''].join('\r\n'))
  })

  t.test(`many students with ${kind} are made and changed at once, and once however often it is asked for`, async (t) => {
    const { ask, students } = await withIds(t, ids)
    const key = { 'idempotency-key': 'once' }
    const [one, again] = [await ask('POST', '/students/', janeDoe, key), await ask('POST', '/students/', janeDoe, key)]
    t.match(one.json().id, made)
    t.equal(again.body, one.body)
    const created = await ask('POST', '/students/batch', { operations: [janeDoe, janeDoe].map((data) => ({ op: 'create', data })) }, key)
    const [a, b] = created.json().results.map(({ id }: { id: string }) => id)
    const operations = [{ op: 'patch', id: a, data: { gpa: 1 } }, { op: 'delete', id: b }, { op: 'delete', id: unknown }]
    const { results } = (await ask('POST', '/students/batch', { operations })).json()
    t.match(results, [{ status: 200, id: a }, { status: 204, id: b }, { status: 404, id: unknown }])
    t.equal((await ask('POST', '/students/batch', { operations: [{ op: 'delete', id: wrong }] })).statusCode, 422)
    const twins = await ask('POST', '/students/batch', { operations: [{ op: 'delete', id: a }, { op: 'delete', id: a }] })
    t.match(twins.json().errors, [{ pointer: '/operations/1/id' }])
    const rows = [1, 2, 3].map((gpa) => JSON.stringify({ ...janeDoe, gpa })).join('\n')
    for (const time of [1, 2]) t.equal((await ask('POST', '/students/import', rows, { 'content-type': 'application/x-ndjson', 'idempotency-key': 'rows' })).json().created, 3, `time ${time}`)
    t.equal(await students.countDocuments(), 5)
    const changed = await Promise.all([one.json().id, a, unknown].map(async (id, gpa) => (await ask('PUT', `/students/${id}`, { gpa })).statusCode))
    t.strictSame(changed, [200, 200, 404])
    t.equal((await students.find().toArray()).every(({ _id }) => made.test(String(_id))), true)
  })
}

t.test('text that other software gave its records is their id, in upper and lower case', async (t) => {
  const { ask, students } = await withIds(t, names)
  await students.insertMany(['ada', 'Ada', unknownId].map((_id) => ({ ...janeDoe, _id: _id as unknown as ObjectId })))
  for (const id of ['ada', 'Ada', unknownId]) t.equal((await ask('PUT', `/students/${id}`, { name: id })).json().name, id)
  const { results } = (await ask('POST', '/students/batch', { operations: [{ op: 'delete', id: 'ada' }, { op: 'patch', id: 'Ada', data: { gpa: 1 } }] })).json()
  t.match(results, [{ status: 204 }, { status: 200 }])
  t.strictSame((await ask('GET', '/students/')).json().students.map(({ id }: { id: string }) => id), [unknownId, 'Ada'])
})

t.test('UUIDs of any version that other software stored are ids, and neither their text nor other binary is', async (t) => {
  const { ask, students } = await withIds(t, uuids)
  const known = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
  const others = ['0c9e6679-7425-40de-944b-e07fc1f90ae7', new Binary(Buffer.alloc(16), 0), new Binary(Buffer.alloc(8), 4)]
  await students.insertMany([new UUID(known), ...others].map((_id) => ({ ...janeDoe, _id: _id as unknown as ObjectId })))
  t.strictSame((await ask('GET', '/students/')).json().students, [{ id: known, ...janeDoe }])
  t.strictSame((await ask('GET', '/students/?sort=-id')).json().students, [{ id: known, ...janeDoe }])
  t.strictSame((await ask('GET', `/students/${known}?fields=name`)).json(), { id: known, name: janeDoe.name })
  t.equal((await ask('GET', '/students/export?format=csv&fields=id')).body, `id\r\n${known}\r\n`)
  t.equal((await ask('GET', `/students/${String(others[0])}`)).statusCode, 404)
})

t.test('UUIDs are of version 7, one for each seed and in the order of the seeds', async (t) => {
  const seeds = ['6b020451d5c11e4f254c2a9f', '6b020451d5c11e4f254c2aa0', '6b020452d5c11e4f254c2a9f', 'ffffffffffffffffffffffff']
  const made = seeds.map((seed) => uuids.of(seed))
  t.equal(made[0], '01a1ffe0-dc68-7d5c-811e-4f254c2a9f00')
  for (const id of made) t.match(id, new RegExp(uuids.pattern))
  t.strictSame([...new Set(made)].sort(), made)
  t.equal(parseInt(String(made[0]).replaceAll('-', '').slice(0, 12), 16), new ObjectId(seeds[0]).getTimestamp().getTime())
})

t.test('ids that do not match their own pattern are refused at start', async (t) => {
  t.throws(() => defineResource({ ...student, ids: { pattern: '^[0-9]+$', of: (seed) => `S-${seed}` } }), /student: ids\.of makes ids such as S-[0-9a-f]{24}, which do not match ids\.pattern/)
})
