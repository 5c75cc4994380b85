import t from 'tap'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

type Answer = { results: { status: number, id?: string, etag?: string, problem?: { detail: string, errors?: unknown } }[], summary: unknown }

const { inject, create, students } = await build(t)

const batch = async (operations: unknown, query = '') => {
  const answer = await inject('POST', `/students/batch${query}`, { operations })
  return { status: answer.statusCode, body: answer.json() as Answer & { errors: unknown, detail: string } }
}

t.test('each change of a batch has a result of its own, in their order', async (t) => {
  const [one, two] = [await create({ name: 'One' }), await create({ name: 'Two' })]
  const { status, body } = await batch([
    { op: 'create', data: { ...janeDoe, gpa: '2.5', hobby: 'x' } },
    { op: 'patch', id: one.id, data: { gpa: 1 } },
    { op: 'create', data: { ...janeDoe, name: '', gpa: 9 } },
    { op: 'delete', id: two.id },
    { op: 'delete', id: unknownId },
    { op: 'patch', id: unknownId.replace('6', '7'), data: {} }
  ])
  t.equal(status, 207)
  t.strictSame(body.results.map(({ status }) => status), [201, 200, 422, 204, 404, 404])
  t.strictSame(body.summary, { ok: 3, failed: 3 })
  const [made, changed, refused, deleted] = body.results
  const stored = await inject('GET', `/students/${made?.id}`)
  t.match(stored.json(), { ...janeDoe, gpa: 2.5 })
  t.equal(stored.headers.etag, made?.etag)
  t.equal((await inject('GET', `/students/${one.id}`)).headers.etag, changed?.etag)
  t.match(refused?.problem, { status: 422, errors: [{ pointer: '/operations/2/data/name' }, { pointer: '/operations/2/data/gpa', detail: 'must be <= 4' }] })
  t.strictSame(deleted, { status: 204, id: two.id })
  t.equal((await inject('GET', `/students/${two.id}`)).statusCode, 404)
})

t.test('a condition holds inside its change, and one that does not hold tells the tag as it is', async (t) => {
  const { id } = await create()
  const tag = String((await inject('HEAD', `/students/${id}`)).headers.etag)
  const first = await batch([{ op: 'patch', id, ifMatch: tag, data: { gpa: 1 } }])
  t.match(first.body.results, [{ status: 200 }])
  const again = await batch([{ op: 'patch', id, ifMatch: tag, data: { gpa: 1 } }])
  t.strictSame(again.body, first.body, 'what is made already is no conflict')
  const other = await batch([{ op: 'patch', id, ifMatch: tag, data: { gpa: 2 } }])
  t.match(other.body.results, [{ status: 412, etag: first.body.results[0]?.etag, problem: { status: 412 } }])
  t.match((await batch([{ op: 'delete', id, ifMatch: tag }])).body.results, [{ status: 412 }])
  t.match((await batch([{ op: 'delete', id, ifMatch: '*' }])).body.results, [{ status: 204 }])
  t.match((await batch([{ op: 'delete', id, ifMatch: tag }, { op: 'patch', id: unknownId, ifMatch: tag, data: {} }])).body.results, [{ status: 404 }, { status: 404 }])
})

t.test('a record whose id is stored as text is changed and deleted too', async (t) => {
  const id = 'aaaaaaaaaaaaaaaaaaaaaaaa'
  await students.insertOne({ ...janeDoe, _id: id as never })
  const { body } = await batch([{ op: 'patch', id, data: { name: 'Text' } }])
  t.match(body.results, [{ status: 200, id }])
  t.match(await students.findOne({ _id: id as never }), { name: 'Text' })
  t.match((await batch([{ op: 'delete', id }])).body.results, [{ status: 204 }])
})

t.test('a batch that cannot be understood is refused as a whole', async (t) => {
  const { id } = await create()
  const refused: [operations: unknown, errors: unknown[]][] = [
    [undefined, [{ pointer: '/operations', detail: 'is required' }]],
    [[], [{ pointer: '/operations' }]],
    [[{ op: 'upsert' }], [{ pointer: '/operations/0/op', detail: 'must be create, patch or delete' }]],
    [[{ id }, 1], [{ pointer: '/operations/0/op', detail: 'is required' }, { pointer: '/operations/1', detail: 'must be object' }]],
    [[{ op: 'delete', id, ifmatch: '"x"' }], [{ pointer: '/operations/0/ifmatch', detail: 'must not stand here; did you mean ifMatch?' }]],
    [[{ op: 'patch', id: 'x', data: {} }], [{ pointer: '/operations/0/id' }]],
    [[{ op: 'create', id, ifMatch: '*', data: janeDoe }], [{ pointer: '/operations/0/id' }, { pointer: '/operations/0/ifMatch' }]],
    [[{ op: 'create' }, { op: 'patch' }], [{ pointer: '/operations/0/data' }, { pointer: '/operations/1/id' }, { pointer: '/operations/1/data' }]],
    [[{ op: 'delete', id, data: {} }], [{ pointer: '/operations/0/data', detail: 'must not stand here' }]],
    [[{ op: 'delete', id }, { op: 'patch', id: id.toUpperCase(), data: {} }], [{ pointer: '/operations/1/id', detail: 'must not occur twice in a batch' }]],
    [Array(1001).fill({ op: 'create', data: janeDoe }), [{ pointer: '/operations', detail: 'must NOT have more than 1000 items' }]]
  ]
  const before = await students.countDocuments()
  for (const [operations, errors] of refused) {
    const { status, body } = await batch(operations)
    t.equal(status, 422)
    t.match(body.errors, errors)
  }
  t.equal(await students.countDocuments(), before)
  t.match((await batch([], '?dryrun=true')).body.errors, [{ parameter: 'dryrun', detail: 'is unknown; did you mean dryRun?' }])
})

t.test('a dry run says what would happen, and changes nothing', async (t) => {
  const { id } = await create()
  const { id: other } = await create()
  const before = await students.find().toArray()
  const { status, body } = await batch([
    { op: 'create', data: janeDoe }, { op: 'create', data: {} }, { op: 'patch', id, data: { gpa: 1 } }, { op: 'delete', id: unknownId }, { op: 'delete', id: other, ifMatch: '"x"' }
  ], '?dryRun=true')
  t.equal(status, 207)
  t.notMatch(body.results[1], { problem: { instance: String } })
  t.match(body.results, [{ status: 201 }, { status: 422 }, { status: 200, id }, { status: 404 }, { status: 412, etag: String }])
  t.notOk(body.results[0]?.id)
  t.match((await batch([{ op: 'delete', id }], '?dryRun=true')).body.results, [{ status: 204 }])
  t.strictSame(await students.find().toArray(), before)
})

t.test('a thousand changes go in one batch, which may be larger than one record', async (t) => {
  // longer than by default, for slow servers
  const { inject } = await build(t, { timeoutMs: 20_000 })
  const batch = async (operations: unknown): Promise<Answer> => (await inject('POST', '/students/batch', { operations })).json()
  const created = await batch(Array.from({ length: 1000 }, (_, n) => ({ op: 'create', data: { ...janeDoe, name: `Number ${n} ${'x'.repeat(100)}` } })))
  t.strictSame(created.summary, { ok: 1000, failed: 0 })
  const changes = created.results.map(({ id }, n) => n % 2 ? { op: 'delete', id } : { op: 'patch', id, data: { gpa: n / 1000 } })
  const changed = await batch(changes)
  t.strictSame(changed.results.map(({ status }) => status), changes.map(({ op }) => op === 'delete' ? 204 : 200))
  t.equal((await inject('POST', '/students/batch', { operations: [{ op: 'create', data: { ...janeDoe, x: 'x'.repeat(16 * 65_536) } }] })).statusCode, 413)
})

t.test('where a condition is required, a change without one is refused, and the others are made', async (t) => {
  const { inject } = await build(t, { requireIfMatch: true })
  const { id } = (await inject('POST', '/students/', janeDoe)).json()
  const answer = await inject('POST', '/students/batch', { operations: [{ op: 'patch', id, data: { gpa: 1 } }, { op: 'create', data: janeDoe }] })
  t.match(answer.json().results, [{ status: 428 }, { status: 201 }])
  t.match((await inject('POST', '/students/batch?dryRun=true', { operations: [{ op: 'delete', id }] })).json().results, [{ status: 428 }])
})

t.test('clients that change one record by compare and swap in batches lose nothing', async (t) => {
  const { id } = await create({ gpa: 0 })
  const step = async () => {
    for (;;) {
      const read = await inject('GET', `/students/${id}`)
      const next = Math.round((read.json().gpa + 0.01) * 100) / 100
      const { body } = await batch([{ op: 'patch', id, ifMatch: String(read.headers.etag), data: { gpa: next, name: `by ${Math.random()}` } }])
      if (body.results[0]?.status === 200) return
    }
  }
  await Promise.all(Array.from({ length: 40 }, step))
  t.equal((await inject('GET', `/students/${id}`)).json().gpa, 0.4)
})
