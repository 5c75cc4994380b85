import { METHODS } from 'node:http'
import { Double } from 'mongodb'
import t from 'tap'
import type { StudentRepository } from '../../../app.js'
import { build } from '../../build.js'

interface Student { id: string, name: string, gpa?: number }

const { app, inject, students } = await build(t)
const names = (body: { students: Student[] }) => body.students.map(({ name }) => name).join('')

async function query (body: unknown, headers = {}) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await app.inject({ method: 'QUERY', url: '/students/', headers: { 'content-type': 'application/json', ...headers }, payload })
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: answer.body === '' ? undefined : answer.json() }
}

t.before(async () => {
  await students.insertMany(Array.from('abcdefghij', (name, n) => ({ name, email: `${name}@example.com`, course: n % 2 === 0 ? 'A, B' : 'C', gpa: new Double(n % 3) })))
})

t.test('a QUERY answers what the GET at its Location answers, with a cursor', async (t) => {
  const asked = { filter: { 'gpa.gte': 1, 'course.in': ['A, B', 'X'] }, sort: ['-gpa', 'name'], limit: 2, fields: 'name', count: 'exact' }
  const { status, headers, body } = await query(asked)
  t.equal(status, 200)
  t.equal(names(body), 'ci')
  t.equal(headers.location, '/students/?gpa.gte=1&course.in=A,%20B&course.in=X&sort=-gpa,name&fields=name&limit=2&count=exact')
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-cache')
  const get = await inject('GET', String(headers.location))
  const { cursor, ...rest } = body
  t.strictSame(get.json(), rest)
  t.equal(get.headers.link, headers.link)
  t.ok(body.next.endsWith(`&cursor=${cursor}`))
  const next = await query({ ...asked, cursor })
  t.equal(names(next.body), 'e')
  t.strictSame((await inject('GET', String(next.headers.location))).json(), next.body, 'the last page has no cursor')
  t.equal(names((await inject('GET', body.next)).json()), 'e', 'by GET too')
})

t.test('a QUERY with an or goes on by its cursor alone', async (t) => {
  const asked = { filter: { or: [{ 'name.in': ['a', 'b', 'c'] }, { gpa: 2 }], 'name.ne': 'b' }, limit: 3 }
  const { headers, body } = await query(asked)
  t.equal(names(body), 'acf')
  t.notOk(headers.location ?? headers.link)
  t.strictSame(Object.keys(body), ['students', 'cursor'])
  const turned = { ...asked, filter: { 'name.ne': 'b', or: asked.filter.or.toReversed() } }
  const last = await query({ ...turned, cursor: body.cursor })
  t.equal(names(last.body), 'i', 'in whatever order the filters stand')
  t.strictSame(Object.keys(last.body), ['students'])
  for (const filter of [{ or: asked.filter.or }, { ...asked.filter, or: [{ gpa: 2 }, { gpa: 1 }] }, { 'name.ne': 'b' }]) {
    const { status, body: problem } = await query({ ...asked, filter, cursor: body.cursor })
    t.equal(status, 422)
    t.strictSame(problem.errors, [{ pointer: '/cursor', detail: 'belongs to another sort or filter' }])
  }
})

t.test('lists may hold 1000 values, and beyond 100 there is no GET', async (t) => {
  const list = (length: number) => ({ filter: { 'name.in': ['c', ...Array.from({ length: length - 1 }, (_, n) => `x${n}`)] } })
  for (const [length, hasGet] of [[100, true], [101, false], [1_000, false]] as const) {
    const { headers, body } = await query(list(length))
    t.equal(names(body), 'c')
    t.equal(headers.location !== undefined, hasGet)
  }
  t.strictSame((await query(list(1_001))).body.errors, [{ pointer: '/filter/name.in', detail: 'must be a list of 1 to 1000 values' }])
})

t.test('a client that has the list gets 304', async (t) => {
  const { headers } = await query({ filter: { name: 'a' } })
  t.match(headers.etag, /^W\/"/)
  const { status, text, headers: { etag } } = await query({ filter: { name: 'a' } }, { 'if-none-match': headers.etag })
  t.strictSame([status, text, etag], [304, '', headers.etag])
  t.equal((await query({ filter: { name: 'b' } }, { 'if-none-match': headers.etag })).status, 200)
})

t.test('every fault of a body is told by its pointer, and those of the store as well', async (t) => {
  const { status, headers, body } = await query({ filter: { 'gpa.get': 3, or: [{ gpa: '3' }, { name: 'a' }] }, sort: 'nmae', page: 2 })
  t.equal(status, 422)
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(body, { detail: 'The body is not valid.', instance: '/students/' })
  t.strictSame(body.errors, [
    { pointer: '/page', detail: 'is unknown' },
    { pointer: '/filter/gpa.get', detail: 'is unknown; did you mean gpa.gte?' },
    { pointer: '/filter/or/0/gpa', detail: 'must be a number' },
    { pointer: '/sort', detail: 'must not name "nmae", which is unknown; did you mean name?' }
  ])
  t.strictSame((await query({ cursor: 'x' })).body.errors, [{ pointer: '/cursor', detail: 'is malformed' }])
  t.strictSame((await query('{ "__proto__": {}, "filter": { "constructor": { "prototype": {} } } }')).body.errors,
    [{ pointer: '/__proto__', detail: 'is unknown' }, { pointer: '/filter/constructor', detail: 'is unknown' }])
  const target = await inject('QUERY', '/students/?limit=1', {})
  t.match(target.json(), { status: 422, errors: [{ parameter: 'limit', detail: 'is unknown' }] })
})

t.test('what is not JSON is 400, another media type 415 with what is taken, too much 413', async (t) => {
  for (const text of ['', '{', 'gpa=3']) t.equal((await query(text)).status, 400, text)
  const bare = await app.inject({ method: 'QUERY', url: '/students/' })
  t.match(bare.json(), { status: 400, detail: /Content-Type/ }, 'RFC 10008 section 2')
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/merge-patch+json' }, { 'content-type': 'application/json; charset=latin1' }, { 'content-encoding': 'gzip' }]) {
    const answer = await query('{}', headers)
    t.equal(answer.status, 415)
    t.equal(answer.headers['accept-query'], 'application/json')
  }
  t.equal((await query({ filter: { 'name.in': ['x'.repeat(65_536)] } })).status, 413)
})

t.test('GET and OPTIONS tell that QUERY is there, and where it is not it is 405', async (t) => {
  for (const path of ['/students', '/students/']) {
    for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) t.equal((await inject(method, path)).headers['accept-query'], 'application/json', `${method} ${path}`)
    t.equal((await inject('OPTIONS', path)).headers.allow, 'POST, GET, HEAD, QUERY, OPTIONS')
    t.equal((await inject('QUERY', path, { limit: 1 })).headers.location, `${path}?limit=1`)
  }
  const path = `/students/${'0'.repeat(24)}`
  t.equal((await inject('QUERY', path, {})).statusCode, 405)
  t.notOk((await inject('OPTIONS', path)).headers['accept-query'])
})

t.test('the document does not have it, but the list says that it is there', async (t) => {
  const { paths } = (await inject('GET', '/openapi.json')).json()
  t.strictSame(Object.keys(paths['/students/']), ['post', 'get'])
  t.match(paths['/students/'].get.description, /QUERY on the same path \(RFC 10008\)/)
})

t.test('where Node does not know QUERY there is none, and nothing tells of it', async (t) => {
  const known = METHODS.splice(0)
  METHODS.push(...known.filter((method) => method !== 'QUERY'))
  t.teardown(() => METHODS.splice(0, Infinity, ...known))
  const { inject } = await build(t)
  const refused = await inject('QUERY', '/students/', {})
  t.equal(refused.statusCode, 405)
  t.equal(refused.headers.allow, 'POST, GET, HEAD, OPTIONS')
  for (const method of ['GET', 'OPTIONS'] as const) t.notOk((await inject(method, '/students/')).headers['accept-query'])
  t.notMatch((await inject('GET', '/openapi.json')).json().paths['/students/'].get.description, /QUERY/)
})

t.test('a repository without queries has none, one of the host\'s answers as it can', async (t) => {
  const none = async () => undefined
  const list: StudentRepository['list'] = async () => [{ id: 'x', name: 'Jane' }]
  const repository: StudentRepository = { create: async (fields) => ({ id: 'x', ...fields }), list, find: none, update: none, delete: async () => false }
  const plain = await build(t, { students: repository })
  t.equal((await plain.inject('QUERY', '/students/', {})).statusCode, 405)
  t.notOk((await plain.inject('GET', '/students/')).headers['accept-query'])
  const queried = await build(t, { students: { ...repository, capabilities: ['query'] } })
  t.strictSame((await queried.inject('QUERY', '/students/', {})).json(), { students: [{ id: 'x', name: 'Jane' }] })
  const failing = await build(t, { students: { ...repository, capabilities: ['query'], list: async () => { throw new Error('secret') } } })
  t.equal((await failing.inject('QUERY', '/students/', {})).statusCode, 500)
})
