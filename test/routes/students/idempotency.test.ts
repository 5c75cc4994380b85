import t, { type Test } from 'tap'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'
import { Changed, StoreUnavailableError, type Repository } from '../../../app.js'
import { DocumentRefusedError, DuplicateKeyError } from '../../../lib/http/errors.js'

const { app, students } = await build(t)

const send = async (key: string, payload: unknown = janeDoe, { url = '/students/', headers = {} } = {}) =>
  app.inject({ method: 'POST', url, headers: { 'idempotency-key': key, 'content-type': 'application/json', ...headers }, payload: JSON.stringify(payload) })

t.test('a create that is sent again is made once, and has the same answer', async (t) => {
  const first = await send('one')
  t.equal(first.statusCode, 201)
  t.notOk(first.headers['idempotent-replayed'])
  for (const key of ['one', '"one"']) {
    const again = await send(key)
    t.equal(again.statusCode, 201)
    t.equal(again.body, first.body)
    for (const name of ['location', 'etag']) t.equal(again.headers[name], first.headers[name])
    t.equal(again.headers['idempotent-replayed'], 'true')
  }
  t.equal(await students.countDocuments(), 1)
  await app.inject({ method: 'DELETE', url: String(first.headers.location) })
  t.equal((await send('one')).body, first.body, 'also after the record was deleted')
  t.equal(await students.countDocuments(), 0)
  t.equal((await send('one', janeDoe, { headers: { prefer: 'return=minimal' } })).body, '')
})

t.test('the same key with another body is refused', async (t) => {
  await send('two')
  const other = await send('two', { ...janeDoe, gpa: 1 })
  t.equal(other.statusCode, 422)
  t.match(other.json().detail, /was sent with another body/)
  t.equal((await send('two', janeDoe, { headers: { 'content-type': 'application/json; charset=utf-8' } })).statusCode, 201, 'parameters of the media type do not matter')
})

t.test('a key counts for its path alone, with and without a slash', async (t) => {
  const first = await send('three')
  t.equal((await send('three', janeDoe, { url: '/students' })).json().id, first.json().id)
  t.match((await send('three', { operations: [{ op: 'create', data: janeDoe }] }, { url: '/students/batch' })).json().results, [{ status: 201 }])
})

t.test('of many requests at once with one key, one is made', async (t) => {
  const before = await students.countDocuments()
  const answers = await Promise.all(Array.from({ length: 50 }, async () => send('many')))
  t.equal(await students.countDocuments(), before + 1)
  const made = answers.filter(({ statusCode }) => statusCode === 201)
  t.equal(made.filter(({ headers }) => !headers['idempotent-replayed']).length, 1)
  t.equal(new Set(made.map(({ body }) => body)).size, 1)
  for (const { statusCode, headers } of answers) {
    t.ok(statusCode === 201 || statusCode === 409)
    if (statusCode === 409) t.equal(headers['retry-after'], '1')
  }
})

t.test('what is malformed is refused and leaves the key free', async (t) => {
  t.equal((await send('a b')).statusCode, 400)
  t.equal((await send('four', { ...janeDoe, gpa: 9 })).statusCode, 422)
  t.equal((await send('four')).statusCode, 201)
})

/** An app with one key, which was answered; and what changes that key as it is stored. */
async function withKey (t: Test) {
  const { app, students, database } = await build(t)
  const send = async () => app.inject({ method: 'POST', url: '/students/', headers: { 'idempotency-key': 'x' }, payload: janeDoe })
  const first = await send()
  const keys = database.collection<{ _id: string }>('idempotency_keys')
  const change = async (changes: object) => keys.findOneAndUpdate({ _id: (await keys.findOne())?._id ?? '' }, { $set: changes })
  return { send, first, change, students }
}

t.test('a request that ended without a word is taken up once its time is over', async (t) => {
  const { send, first, change, students } = await withKey(t)
  // as between the steps: the record is there, and the key is not done
  await change({ is_done: false, held_until: new Date(Date.now() + 60_000) })
  t.equal((await send()).statusCode, 409)
  await change({ held_until: new Date(0) })
  const taken = await send()
  t.equal(taken.statusCode, 201)
  t.equal(taken.body, first.body)
  t.notOk(taken.headers['idempotent-replayed'])
  t.equal(await students.countDocuments(), 1)
  t.equal((await send()).headers['idempotent-replayed'], 'true')
  // and as before the record was there
  await students.drop()
  await change({ is_done: false, held_until: new Date(0) })
  const [one, other] = await Promise.all([send(), send()])
  t.ok([one, other].some(({ body }) => body === first.body), 'of two that come for it one goes on')
  t.equal(await students.countDocuments(), 1)
})

t.test('a key that has expired is as if it had never come', async (t) => {
  const { send, first, change } = await withKey(t)
  await change({ expires_at: new Date(0) })
  const again = await send()
  t.equal(again.statusCode, 201)
  t.not(again.json().id, first.json().id)
})

/** A repository that does what it is told to do. */
function told (create: Repository['create']): Repository {
  return {
    capabilities: ['bulk'],
    create,
    createMany: async (records) => records.map(() => new DuplicateKeyError('email')),
    changeMany: async (changes) => changes.map(() => new Changed({ id: unknownId })),
    list: async () => [],
    find: async (id) => ({ id }),
    update: async () => undefined,
    delete: async () => false
  }
}

t.test('a conflict stays one; what else is refused, or fails, may be sent again', async (t) => {
  const errors = [
    new DuplicateKeyError('email'), undefined, new DocumentRefusedError(), new StoreUnavailableError('The change may have been applied.'), new DuplicateKeyError('email')
  ]
  const { app } = await build(t, {
    students: told(async (fields, id) => {
      const error = errors.shift()
      if (error) throw error
      return { id: String(id), ...fields }
    })
  })
  const send = async (key: string, payload: object = janeDoe) => app.inject({ method: 'POST', url: '/students/', headers: { 'idempotency-key': key }, payload })
  const conflict = await send('a')
  t.match(conflict.json(), { status: 409, detail: 'A record with this email already exists.' })
  const again = await send('a')
  t.equal(again.body, conflict.body)
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.equal((await send('b')).statusCode, 201)
  t.equal((await send('c')).statusCode, 422)
  t.equal((await send('c', { ...janeDoe, gpa: 1 })).statusCode, 503, 'also with another body')
  t.equal((await send('c', { ...janeDoe, gpa: 1 })).statusCode, 201, 'where a try failed, the next one may meet its record by another index')
})

t.test('a conflict in a batch that is taken up is no conflict where the record is there', async (t) => {
  const { app, database } = await build(t, { students: told(async (fields, id) => ({ id: String(id), ...fields })) })
  const send = async () => app.inject({ method: 'POST', url: '/students/batch', headers: { 'idempotency-key': 'x' }, payload: { operations: [{ op: 'create', data: janeDoe }] } })
  t.match((await send()).json().results, [{ status: 409 }])
  const keys = database.collection<{ _id: string }>('idempotency_keys')
  await keys.findOneAndUpdate({ _id: (await keys.findOne())?._id ?? '' }, { $set: { is_done: false, held_until: new Date(0) } })
  t.match((await send()).json().results, [{ status: 201 }])
})

t.test('a batch of which something failed here may be sent again, and is then finished', async (t) => {
  const away = async () => { throw new StoreUnavailableError('The change may have been applied.') }
  const many: Repository['createMany'][] = [away, away]
  const { app } = await build(t, {
    students: {
      ...told(async (fields, id) => ({ id: String(id), ...fields })),
      createMany: async (records) => (many.shift() ?? (async () => records.map(() => undefined)))(records),
      changeMany: async (changes) => changes.map(() => true)
    }
  })
  const send = async (...operations: object[]) => app.inject({ method: 'POST', url: '/students/batch', headers: { 'idempotency-key': 'x' }, payload: { operations } })
  const create = { op: 'create', data: janeDoe }
  const patch = { op: 'patch', id: unknownId, data: { gpa: 1 } }
  const failed = await send(create, patch)
  t.match(failed.json().results, [{ status: 503, problem: { detail: /may have been applied/ } }, { status: 200, id: unknownId }])
  t.notOk(failed.json().results[1].etag, 'of a record that is gone by now there is no tag')
  const away2 = await app.inject({ method: 'POST', url: '/students/batch', payload: { operations: [create] } })
  t.equal(away2.statusCode, 503, 'where nothing could be done')
  t.equal(away2.headers['retry-after'], '2')
  const again = await send(create, patch)
  t.match(again.json().results, [{ status: 201 }, { status: 200 }])
  t.notOk(again.headers['idempotent-replayed'])
  t.equal((await send(create, patch)).headers['idempotent-replayed'], 'true')
})

t.test('a repository that cannot create by an id refuses keys', async (t) => {
  const { capabilities, ...five } = told(async (fields) => ({ id: unknownId, ...fields }))
  const { app } = await build(t, { students: five })
  t.equal(capabilities?.length, 1)
  t.equal((await app.inject({ method: 'POST', url: '/students/', headers: { 'idempotency-key': 'x' }, payload: janeDoe })).statusCode, 501)
  t.equal((await app.inject({ method: 'POST', url: '/students/batch', payload: {} })).statusCode, 405)
})

t.test('a batch that is sent again is made once', async (t) => {
  const { id } = (await send('six')).json()
  const operations = [{ op: 'create', data: janeDoe }, { op: 'delete', id }, { op: 'patch', id: unknownId, data: {} }]
  const first = await send('seven', { operations }, { url: '/students/batch' })
  t.match(first.json().results, [{ status: 201 }, { status: 204 }, { status: 404 }])
  const again = await send('seven', { operations }, { url: '/students/batch' })
  t.equal(again.body, first.body)
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.equal((await send('seven', { operations: [] }, { url: '/students/batch' })).statusCode, 422)
  t.equal((await send('seven', { operations }, { url: '/students/batch?dryRun=true' })).headers['idempotent-replayed'], undefined)
})
