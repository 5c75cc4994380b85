import { Validator } from '@seriousme/openapi-schema-validator'
import t, { type Test } from 'tap'
import { startServer } from './child.js'

type Document = {
  info: { title: string }
  paths: Record<string, Record<string, { operationId: string }>>
}

const student = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Nanophotonics', gpa: 3 }

t.test('the stand-alone example serves the API and its docs', async (t) => {
  const { url, output, stop } = await startServer(t, 'examples/stand-alone.js')
  const created = await create(t, url)
  t.strictSame(await list(url), [created])
  t.match(output(), `${url}/docs`)
  t.equal((await fetch(`${url}/docs`)).status, 200)
  t.strictSame(await stop(), { code: 0, signal: null })
})

t.test('the example of a second resource serves it beside the students, alone and in a larger app', async (t) => {
  const nanophotonics = { title: 'Nanophotonics', teacher: 'Ada Lovelace', credits: 6, is_open: true }
  const headers = { 'content-type': 'application/json' }
  for (const [path, prefix] of [['stand-alone', ''], ['larger-app', '/school']]) {
    const { url, output, stop } = await startServer(t, `examples/courses/${path}.js`)
    const post = (body: object) => fetch(`${url}${prefix}/courses/`, { method: 'POST', headers, body: JSON.stringify(body) })
    const created = await post(nanophotonics)
    t.equal(created.status, 201)
    t.match(await read(url + created.headers.get('location')), nanophotonics)
    t.match(await (await post({ ...nanophotonics, credits: 61 })).json(), { errors: [{ pointer: '/credits', detail: 'must be <= 60' }] })
    t.match(output(), `${url}${prefix}/docs`)
    const { paths } = await read<Document>(`${url}${prefix}/openapi.json`)
    t.strictSame(Object.keys(paths), ['students', 'courses'].flatMap((plural) => [`/${plural}/`, `/${plural}/batch`, `/${plural}/import`, `/${plural}/export`, `/${plural}/{id}`]).concat('/users/{username}').map((path) => `${prefix}${path}`))
    await create(t, url + prefix)
    t.strictSame(await stop(), { code: 0, signal: null })
  }
})

t.test('a larger app', async (t) => {
  const { url, output, stop } = await startServer(t, 'examples/larger-app.js')

  await t.test('it holds the API twice, each with students of its own', async (t) => {
    const byDay = await create(t, `${url}/college`)
    t.strictSame(await list(`${url}/evening`), [])
    const byNight = await create(t, `${url}/evening`)
    t.strictSame(await list(`${url}/college`), [byDay])
    t.strictSame(await list(`${url}/evening`), [byNight])

    for (const path of ['/documentation', '/college/docs', '/evening/docs']) {
      t.match(output(), url + path)
      t.equal((await fetch(url + path)).status, 200, path)
    }
  })

  await t.test('it keeps its own routes, errors and document', async (t) => {
    const answer = async (path: string) => {
      const response = await fetch(url + path)
      return [response.status, response.headers.get('content-type'), await response.json()]
    }
    const json = 'application/json; charset=utf-8'
    t.strictSame(await answer('/rooms?floor=2'), [200, json, { rooms: ['201', '202'] }], 'its validator converts')
    t.strictSame(await answer('/rooms?floor=x'), [400, json, { failed: 'querystring/floor must be integer' }])
    t.strictSame(await answer('/students/'), [404, json, { failed: 'No such page' }])
    t.match(await answer('/college/students/x'), [422, 'application/problem+json; charset=utf-8', { instance: '/college/students/x' }])

    const own = await read<Document>(`${url}/documentation/json`)
    t.equal(own.info.title, 'A larger app')
    t.strictSame(await new Validator().validate(structuredClone(own)), { valid: true })
    t.strictSame(operationsOf(own), ['get /rooms listRooms', ...operationsBelow('/college', 'college_'), ...operationsBelow('/evening', 'evening_')])
    const college = await read<Document>(`${url}/college/openapi.json`)
    t.equal(college.info.title, 'Student Course API')
    t.strictSame(operationsOf(college), operationsBelow('/college', 'college_'))
  })

  t.strictSame(await stop(), { code: 0, signal: null })
})

async function create (t: Test, url: string) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/students/`, { method: 'POST', headers, body: JSON.stringify(student) })
  const created = await response.json()
  t.equal(response.status, 201)
  t.match(created, student)
  return created
}

async function list (url: string) {
  const { students } = await read<{ students: unknown[] }>(`${url}/students/`)
  return students
}

async function read<T> (url: string): Promise<T> {
  const response = await fetch(url)
  return await response.json() as T // what it is, the test goes on to assert
}

function operationsOf ({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId }]) => `${method} ${path} ${operationId}`))
}

function operationsBelow (prefix: string, idPrefix: string): string[] {
  return [
    `post ${prefix}/students/ ${idPrefix}createStudent`,
    `get ${prefix}/students/ ${idPrefix}listStudents`,
    `post ${prefix}/students/batch ${idPrefix}batchStudents`,
    `post ${prefix}/students/import ${idPrefix}importStudents`,
    `get ${prefix}/students/export ${idPrefix}exportStudents`,
    `get ${prefix}/students/{id} ${idPrefix}showStudent`,
    `put ${prefix}/students/{id} ${idPrefix}updateStudent`,
    `patch ${prefix}/students/{id} ${idPrefix}patchStudent`,
    `delete ${prefix}/students/{id} ${idPrefix}deleteStudent`,
    `get ${prefix}/users/{username} ${idPrefix}showUser`
  ]
}
