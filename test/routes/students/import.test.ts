import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import { StoreFullError, StoreUnavailableError, type Repository } from '../../../app.js'
import { DuplicateKeyError } from '../../../lib/http/errors.js'
import { build } from '../../build.js'
import { janeDoe } from '../../samples.js'

const { app, students } = await build(t)

const send = async (payload: string | Buffer | Readable, { type = 'text/csv', query = '', headers = {}, to = app } = {}) =>
  to.inject({ method: 'POST', url: `/students/import${query}`, headers: { 'content-type': type, ...headers }, payload })

const header = 'name,email,course,gpa\n'
const row = (n: number, gpa: unknown = n % 401 / 100) => `Student ${n},s${n}@example.com,Physics,${gpa}\n`
const file = (count: number) => header + Array.from({ length: count }, (_, n) => row(n)).join('')
const ndjson = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')

t.beforeEach(async () => { await students.drop() })

t.test('the records of a file are stored, in both formats', async (t) => {
  const csv = await send(file(2_345))
  t.equal(csv.statusCode, 200)
  t.strictSame(csv.json(), { rows: 2_345, created: 2_345, failed: 0, faults: [] })
  t.equal(await students.countDocuments(), 2_345)
  t.match(await students.findOne({ name: 'Student 7' }), { email: 's7@example.com', course: 'Physics', gpa: 0.07 })
  for (const type of ['application/x-ndjson', 'application/jsonl']) {
    const lines = await send(ndjson(janeDoe, { ...janeDoe, gpa: '2.5', id: 'x', hobby: 'x' }), { type })
    t.strictSame(lines.json(), { rows: 2, created: 2, failed: 0, faults: [] })
  }
  t.strictSame((await students.find({ name: janeDoe.name }).toArray()).map(({ gpa, hobby }) => [gpa, hobby]), [[3.5, undefined], [2.5, undefined], [3.5, undefined], [2.5, undefined]])
})

t.test('rows that are not valid are told by line, row and pointer, and the others are stored', async (t) => {
  const answer = await send(`${header}${row(1)}${row(2, 9)}"Three\nlines",x,,3\n${row(4)}five\n`)
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), {
    rows: 5,
    created: 2,
    failed: 3,
    faults: [
      { line: 3, detail: 'must be <= 4', row: 2, pointer: '/gpa' },
      { line: 4, detail: 'is required', row: 3, pointer: '/course' },
      { line: 4, detail: 'must match format "email"', row: 3, pointer: '/email' },
      { line: 7, detail: 'must have 4 columns, and has 1', row: 5 }
    ]
  })
  t.equal(await students.countDocuments(), 2)
  const lines = await send('[]\n{"name":\n', { type: 'application/x-ndjson' })
  t.strictSame(lines.json().faults, [{ line: 1, detail: 'must be object', row: 1, pointer: '' }, { line: 2, detail: 'must be JSON', row: 2 }])
})

t.test('all faults are counted, and the first thousand told', async (t) => {
  const { rows, created, failed, faults } = (await send(header + row(1, 9).repeat(2_500))).json()
  t.strictSame({ rows, created, failed }, { rows: 2_500, created: 0, failed: 2_500 })
  t.equal(faults.length, 1000)
})

t.test('an import that is to stop at a fault stores what stands before it', async (t) => {
  const answer = await send(`${file(1_500)}${row(1, 9)}${row(2)}`, { query: '?onError=stop' })
  t.equal(answer.statusCode, 422)
  t.match(answer.json(), { detail: 'The import ended at line 1502.', summary: { rows: 1_501, created: 1_500, failed: 1, faults: [{ line: 1502, row: 1501, pointer: '/gpa' }] } })
  t.equal(await students.countDocuments(), 1_500)
})

t.test('with the same key, a file whose fault was mended goes on after what is stored', async (t) => {
  const headers = { 'idempotency-key': 'mended' }
  const broken = `${file(2_500)}${row(1, 9)}${row(2)}`
  t.match((await send(broken, { query: '?onError=stop', headers })).json().summary, { created: 2_500 })
  const mended = await send(broken.replace(',9\n', ',3.9\n'), { query: '?onError=stop', headers })
  t.strictSame(mended.json(), { rows: 2_502, created: 2_502, failed: 0, faults: [] })
  t.equal(await students.countDocuments(), 2_502)
})

t.test('a dry run tells faults and stores nothing', async (t) => {
  const answer = await send(`${file(10)}${row(1, 9)}`, { query: '?dryRun=true', headers: { 'idempotency-key': 'dry' } })
  t.match(answer.json(), { rows: 11, created: 10, failed: 1 })
  t.equal(await students.countDocuments(), 0)
})

t.test('a file that cannot be read ends the import at its line', async (t) => {
  const ended = async (payload: string | Buffer, line: number, detail: RegExp, created: number, type = 'text/csv') => {
    const answer = await send(payload, { type })
    t.equal(answer.statusCode, 422)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(answer.json(), { detail: `The import ended at line ${line}.`, summary: { created, faults: [{ line, detail }] } })
  }
  await ended('nmae,email\nx,y\n', 1, /unknown column "nmae"; did you mean name\?/, 0)
  await ended(Buffer.from(`${header}${row(1)}Jos\xe9,j@example.com,Art,3\n`, 'latin1'), 3, /not UTF-8/, 1)
  await ended(`${header}${row(1)}"x\n`, 3, /CSV/, 1)
  await ended(`${header}${row(1)}${'x'.repeat(10_000_000)}\n${row(2)}`, 3, /must not be longer than 65536 bytes/, 1)
  const lines = await send(`${ndjson(janeDoe)}${'x'.repeat(10_000_000)}\n${ndjson(janeDoe)}`, { type: 'application/x-ndjson' })
  t.match(lines.json(), { rows: 3, created: 2, faults: [{ line: 2, detail: /65536/ }] })
  t.strictSame((await send('')).json(), { rows: 0, created: 0, failed: 0, faults: [] })
})

t.test('an export can be imported', async (t) => {
  await send(file(1_200))
  const exported = await app.inject('/students/export?format=csv')
  await students.drop()
  t.match((await send(exported.body)).json(), { created: 1_200, failed: 0 })
  const again = await app.inject('/students/export?format=csv')
  const withoutIds = (body: string) => body.replace(/^[0-9a-f]{24}/gm, '')
  t.equal(withoutIds(again.body), withoutIds(exported.body))
})

t.test('a client that asks for it is told how far the import has come', async (t) => {
  const slow = Readable.from((async function * () {
    yield file(100)
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    yield row(1, 9)
  })())
  const answer = await send(slow, { headers: { accept: 'application/x-ndjson' } })
  t.equal(answer.headers['content-type'], 'application/x-ndjson')
  const lines = answer.body.trimEnd().split('\n').map((line) => JSON.parse(line))
  t.match(lines, [{ progress: { rows: 99, created: 0, failed: 0 } }, { summary: { rows: 101, created: 100, failed: 1, faults: [{ line: 102 }] } }])
  const ended = await send('x\ny\n', { headers: { accept: 'application/x-ndjson' } })
  t.match(ended.body.trimEnd().split('\n').map((line) => JSON.parse(line)), [{ problem: { status: 422, summary: { created: 0 } } }])
  t.equal((await send(file(1), { headers: { accept: 'text/html' } })).statusCode, 406)
})

t.test('media types, charsets and parameters that are not served are refused', async (t) => {
  t.match((await send('{}', { type: 'application/json' })).json(), { status: 415, detail: 'The body must be application/x-ndjson, application/jsonl or text/csv in UTF-8, without a content coding.' })
  t.equal((await send(header, { type: 'text/csv; charset=latin1' })).statusCode, 415)
  t.match((await app.inject({ method: 'POST', url: '/students/import' })).json(), { status: 415, detail: /text\/csv/ }, 'without a body')
  t.equal((await send(header, { headers: { 'content-encoding': 'gzip' } })).statusCode, 415)
  t.equal((await app.inject({ method: 'POST', url: '/students/', headers: { 'content-type': 'text/csv' }, payload: header })).statusCode, 415)
  t.match((await send(header, { query: '?onerror=stop' })).json().errors, [{ parameter: 'onerror', detail: 'is unknown; did you mean onError?' }])
  t.match((await send(header, { query: '?onError=x' })).json().errors, [{ parameter: 'onError', detail: 'must be continue or stop' }])
})

t.test('a file that is sent again with its key is stored once', async (t) => {
  const headers = { 'idempotency-key': 'again' }
  const first = await send(`${file(1_001)}${row(1, 9)}`, { headers })
  const again = await send(`${file(1_001)}${row(1, 9)}`, { headers })
  t.equal(again.body, first.body)
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.equal(await students.countDocuments(), 1_001)
  t.match((await send(file(1_001), { headers })).json(), { status: 422, detail: /was sent with another body/ })
  t.equal((await send(ndjson(janeDoe), { headers, type: 'application/jsonl' })).statusCode, 422, 'of another media type')
})

t.test('an import whose connection breaks goes on with the same key, with no row twice and none missing', async (t) => {
  const { app, students } = await build(t, { timeoutMs: 2_000 })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const body = file(5_000)
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(`POST /students/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nIdempotency-Key: cut\r\nContent-Length: ${body.length}\r\n\r\n`)
  socket.write(body.slice(0, body.length * 0.7))
  while (await students.countDocuments() < 2_000) await new Promise((resolve) => setTimeout(resolve, 20))
  socket.destroy()
  await once(socket, 'close')
  for (;;) {
    const answer = await send(body, { headers: { 'idempotency-key': 'cut' }, to: app })
    if (answer.statusCode === 409 || answer.statusCode === 503) { // the first try is not over yet, or the database is slow
      t.equal(answer.headers['retry-after'], '1')
      await new Promise((resolve) => setTimeout(resolve, 100))
      continue
    }
    t.strictSame(answer.json(), { rows: 5_000, created: 5_000, failed: 0, faults: [] })
    break
  }
  const stored = await students.find().toArray()
  t.equal(stored.length, 5_000)
  t.equal(new Set(stored.map(({ email }) => email)).size, 5_000)
})

/** A repository that answers batches of creates as it is told. */
function told (answers: (() => (Error | undefined)[])[]): Repository {
  const made = new Set<string>()
  return {
    capabilities: ['bulk'],
    createMany: async (records) => {
      const answer = answers.shift()?.() ?? []
      for (const [index, { id }] of records.entries()) if (!answer[index]) made.add(id)
      return records.map((_, index) => answer[index])
    },
    changeMany: async () => [],
    create: async (fields, id) => ({ id: String(id), ...fields }),
    list: async () => [],
    find: async (id) => made.has(id) ? { id } : undefined,
    update: async () => undefined,
    delete: async () => false
  }
}

t.test('a database that is away for a while only holds an import up, and what it refuses is a fault of its row', async (t) => {
  const away = () => { throw new StoreUnavailableError('Try again later.') }
  const { app: to } = await build(t, { students: told([away, () => [new StoreUnavailableError('x')], () => [undefined, new DuplicateKeyError('email')]]) })
  t.strictSame((await send(file(3), { to })).json(), { rows: 3, created: 2, failed: 1, faults: [{ line: 3, detail: 'A record with this email already exists.', row: 2 }] })
})

t.test('what ends an import for good says what became of it, and the next try goes on', async (t) => {
  const full = () => { throw new StoreFullError() }
  const answers = [() => [new DuplicateKeyError('email')], full, () => [], full]
  const { app: to, database } = await build(t, { students: told(answers) })
  const headers = { 'idempotency-key': 'x' }
  const ended = await send(file(2_000), { to, headers })
  t.match(ended.json(), { status: 507, summary: { created: 999, failed: 1 } })
  t.match((await send(file(900), { to, headers })).json(), { status: 422, detail: /another body/ }, 'with fewer rows than are stored')
  t.match((await send(file(2_000).replace('Student 7', 'Student 8'), { to, headers })).json(), { status: 422, detail: /another body/ }, 'with other rows')
  const again = await send(file(2_000), { to, headers })
  t.match(again.json(), { rows: 2_000, created: 1_999, failed: 1, faults: [{ line: 2 }] })
  t.equal(await database.collection('idempotency_keys').countDocuments(), 1)
  t.match((await send(file(10), { to: (await build(t, { students: told([() => [new DuplicateKeyError('email')]]) })).app, query: '?onError=stop' })).json(), { status: 422, summary: { created: 9, failed: 1 } })
  t.equal((await send(file(1), { to: (await build(t, { students: told([() => { throw new Error('planted') }]) })).app })).statusCode, 500)
})
