import { Decimal128, Int32, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { Changed, type Student, type StudentRepository } from '../../../app.js'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

type Method = 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'DELETE' | 'POST'

async function buildTagged (t: Test, options = {}) {
  const built = await build(t, options)
  const send = (method: Method, url: string, headers: Record<string, string> = {}, payload?: object) => built.app.inject({ method, url, headers, ...payload && { payload } })
  const created = await send('POST', '/students/', {}, janeDoe)
  return { ...built, send, url: `/students/${created.json().id}`, etag: String(created.headers.etag) }
}

t.test('a student has one strong tag in every answer, and another one once it has changed', async (t) => {
  const { send, url, etag } = await buildTagged(t)
  t.match(etag, /^"[\w-]{22}"$/)
  const answers = [await send('GET', url), await send('HEAD', url), await send('PUT', url, {}, {}), await send('PATCH', url, {}, { name: janeDoe.name })]
  t.strictSame(answers.map(({ headers }) => headers.etag), [etag, etag, etag, etag])
  t.equal(answers[0]?.headers['cache-control'], 'no-cache')
  const changed = await send('PATCH', url, {}, { name: 'Other' })
  t.not(changed.headers.etag, etag)
  t.equal((await send('PATCH', url, {}, { name: janeDoe.name })).headers.etag, etag, 'and the same for the same values')
})

t.test('If-None-Match with the tag is 304, of a record and of a list', async (t) => {
  const { send, url, etag } = await buildTagged(t)
  for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await send('GET', url, { 'if-none-match': value })
    t.strictSame([answer.statusCode, answer.body, answer.headers.etag], [304, '', etag], value)
  }
  t.equal((await send('GET', url, { 'if-none-match': '"x"' })).statusCode, 200)
  t.equal((await send('HEAD', url, { 'if-none-match': etag })).statusCode, 304)
  const form = String((await send('GET', `${url}?fields=name`)).headers.etag)
  t.match(form, /^"[\w-]{22}\.[\w-]{8}"$/)
  t.equal((await send('GET', url, { 'if-none-match': form })).statusCode, 200, 'a part is another representation')
  t.equal((await send('PUT', url, { 'if-match': form }, { gpa: 1 })).statusCode, 200, 'of the same state')
  const list = String((await send('GET', '/students/')).headers.etag)
  t.match(list, /^W\/"/)
  const again = await send('GET', '/students/', { 'if-none-match': list })
  t.strictSame([again.statusCode, again.body, again.headers.etag], [304, '', list])
  t.notOk('content-length' in again.headers || 'content-type' in again.headers)
  await send('PUT', url, {}, { gpa: 2 })
  t.equal((await send('GET', '/students/', { 'if-none-match': list })).statusCode, 200)
})

t.test('If-Match lets a change through for the state that it names, and for no other', async (t) => {
  const { send, url, etag } = await buildTagged(t)
  const changed = await send('PUT', url, { 'if-match': etag }, { gpa: 1 })
  t.equal(changed.statusCode, 200)
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    const refused = await send(method, url, { 'if-match': etag }, method === 'DELETE' ? undefined : { gpa: 2 })
    t.strictSame([refused.statusCode, refused.headers.etag], [412, changed.headers.etag], method)
    t.equal(refused.json().detail, 'The record has changed since. Nothing was changed.')
  }
  t.equal((await send('PUT', url, { 'if-match': etag }, { gpa: 1 })).statusCode, 200, 'what was applied already')
  t.match((await send('PUT', url, { 'if-match': `W/${changed.headers.etag}` }, { gpa: 2 })).json(), { status: 412, detail: /proxy may have weakened it/ })
  t.match((await send('PUT', url, { 'if-match': 'x' }, { gpa: 2 })).json(), { status: 412, detail: 'If-Match is not a list of entity tags. Nothing was changed.' })
  t.equal((await send('PUT', url, { 'if-match': `"x", ${changed.headers.etag}` }, {})).statusCode, 200)
  t.equal((await send('PUT', url, { 'if-match': '*' }, { gpa: 3 })).statusCode, 200)
  t.equal((await send('PUT', `/students/${unknownId}`, { 'if-match': etag }, { gpa: 3 })).statusCode, 404)
  t.equal((await send('DELETE', `/students/${unknownId}`, { 'if-match': 'W/"x"' })).statusCode, 404)
  t.equal((await send('DELETE', url, { 'if-match': String((await send('GET', url)).headers.etag) })).statusCode, 204)
  t.equal((await send('GET', url)).statusCode, 404)
})

t.test('a student that other software wrote, with other types and an id of text, is changed under a condition too', async (t) => {
  const { send, students } = await buildTagged(t)
  const text = 'aaaaaaaaaaaaaaaaaaaaaaaa'
  await students.insertMany([
    { _id: new ObjectId(unknownId), name: 5, gpa: new Int32(3), course: ['x'], email: null },
    { _id: text as never, name: 'x', gpa: Decimal128.fromString('2.50'), other: { a: 1 } }
  ])
  for (const id of [unknownId, text]) {
    const { headers } = await send('GET', `/students/${id}`)
    t.equal((await send('PATCH', `/students/${id}`, { 'if-match': String(headers.etag) }, { gpa: 1.5 })).statusCode, 200)
    t.equal((await send('PATCH', `/students/${id}`, { 'if-match': String(headers.etag) }, { gpa: 2 })).statusCode, 412)
    const now = await send('GET', `/students/${id}`)
    t.equal((await send('DELETE', `/students/${id}`, { 'if-match': String(now.headers.etag) })).statusCode, 204)
  }
})

/** More of them in the long run: npm run fuzz:pages. */
const STEPS = Number(process.env.FUZZ_STEPS ?? 60)

t.test('of 32 clients who count by compare and swap none loses a step', async (t) => {
  const { send, url } = await buildTagged(t)
  await send('PUT', url, {}, { name: '0' })
  let done = 0
  let refused = 0
  await Promise.all(Array.from({ length: 32 }, async (_, client) => {
    while (done < STEPS) {
      const read = await send('GET', url)
      if (done >= STEPS) return
      const write = await send('PUT', url, { 'if-match': String(read.headers.etag) }, { name: `${parseInt(read.json().name) + 1} by ${client}` })
      if (write.statusCode === 200) done++
      else if (write.statusCode === 412) refused++
      else throw new Error(write.body)
    }
  }))
  t.ok(refused > 0, 'they did meet')
  t.equal(parseInt((await send('GET', url)).json().name), done)
})

t.test('where If-Match is required, a change without it is 428', async (t) => {
  const { send, url, etag } = await buildTagged(t, { requireIfMatch: true })
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    t.match((await send(method, url, {}, method === 'DELETE' ? undefined : { gpa: 1 })).json(), { status: 428, detail: /If-Match/ }, method)
  }
  t.equal((await send('DELETE', url, { 'if-match': etag })).statusCode, 204)
})

t.test('a merge patch changes what it names; what is required can not be removed', async (t) => {
  const { app, send, url } = await buildTagged(t)
  const patch = (payload: string, type = 'application/merge-patch+json') => app.inject({ method: 'PATCH', url, headers: { 'content-type': type }, payload })
  t.equal((await patch('{"gpa":"1.50"}')).json().gpa, 1.5)
  t.equal((await patch('{}')).json().gpa, 1.5)
  t.match((await patch('{"gpa":null,"name":""}')).json().errors, [{ pointer: '/name' }, { pointer: '/gpa', detail: "can't be removed" }])
  for (const body of ['[]', '5', 'null']) t.equal((await patch(body)).statusCode, 422, body)
  t.match((await app.inject({ method: 'PATCH', url })).json(), { status: 422, errors: [{ pointer: '', detail: 'must be object' }] }, 'no body')
  const refused = await patch('x', 'text/plain')
  t.strictSame([refused.statusCode, refused.headers['accept-patch']], [415, 'application/merge-patch+json, application/json'])
  t.equal((await app.inject({ method: 'OPTIONS', url })).headers['accept-patch'], 'application/merge-patch+json, application/json')
  t.equal((await app.inject({ method: 'PUT', url, headers: { 'content-type': 'application/merge-patch+json' }, payload: '{}' })).statusCode, 415)
  t.equal((await send('PATCH', `/students/${unknownId}`, {}, {})).statusCode, 404)
})

t.test('who prefers a minimal answer gets no body', async (t) => {
  const { send, url } = await buildTagged(t)
  const prefer = { prefer: 'respond-async, return=minimal' }
  for (const [method, path, status] of [['POST', '/students/', 201], ['PUT', url, 204], ['PATCH', url, 204]] as const) {
    const answer = await send(method, path, prefer, janeDoe)
    t.strictSame([answer.statusCode, answer.body, answer.headers['preference-applied']], [status, '', 'return=minimal'], method)
    t.ok(answer.headers.etag)
  }
  for (const other of ['return=representation', 'return=representation, return=minimal', 'x']) {
    t.equal((await send('PUT', url, { prefer: other }, {})).statusCode, 200, other)
  }
})

t.test('with access control no shared cache may keep a student', async (t) => {
  const { send, url } = await buildTagged(t, { auth: { authenticate: async () => ({ username: 'x', scopes: ['students:read', 'students:write'] }) } })
  t.equal((await send('GET', url)).headers['cache-control'], 'private, no-cache')
})

t.test('a repository of a host obeys conditions where it says so, and else none is ignored', async (t) => {
  const student: Student = { id: unknownId, ...janeDoe }
  const plain: StudentRepository = {
    create: async () => student, list: async () => [student], find: async () => student, update: async (_id, changes) => ({ ...student, ...changes }), delete: async () => true
  }
  const able: StudentRepository = {
    ...plain,
    capabilities: ['conditions'],
    update: async (_id, changes, condition) => condition && !condition(student) ? new Changed(student) : { ...student, ...changes },
    delete: async (_id, condition) => condition && !condition(student) ? new Changed(student) : true
  }
  const { app } = await build(t, { students: plain })
  const change = { method: 'PUT', url: `/students/${unknownId}`, headers: { 'if-match': '"x"' }, payload: { gpa: 1 } } as const
  t.equal((await app.inject(change)).statusCode, 501)
  t.equal((await app.inject({ ...change, headers: {} })).statusCode, 200)
  t.equal((await app.inject({ method: 'PATCH', url: change.url, payload: {} })).statusCode, 405)
  t.equal((await app.inject('/students/?limit=1')).statusCode, 422, 'nor has it pages')
  await t.rejects(async () => build(t, { students: plain, requireIfMatch: true }), /requireIfMatch needs a repository/)
  const conditional = (await build(t, { students: able })).app
  t.equal((await conditional.inject(change)).statusCode, 412)
  t.equal((await conditional.inject({ ...change, method: 'DELETE' })).statusCode, 412)
  const { headers } = await conditional.inject(change.url)
  t.equal((await conditional.inject({ ...change, headers: { 'if-match': String(headers.etag) } })).statusCode, 200)
})
