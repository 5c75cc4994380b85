import { once } from 'node:events'
import { connect } from 'node:net'
import { parse } from 'csv-parse/sync'
import t, { type Test } from 'tap'
import type { Repository } from '../../../app.js'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

const { app, inject, create, students } = await build(t)

const courses = ['Physics', 'Chemistry, with "quotes"', 'Art\r\nand line ends', 'Ünï😀']
await students.insertMany(Array.from({ length: 2_500 }, (_, n) => ({ name: `Student ${n}`, email: `s${n}@example.com`, course: courses[n % 4], gpa: n % 401 / 100 })))
const { students: expected, next } = (await inject('GET', '/students/')).json()

const get = async (query = '', headers = {}) => app.inject({ url: `/students/export${query}`, headers })
const lines = (body: string) => body.trimEnd().split('\n').map((line) => JSON.parse(line))

t.test('an export has every record once, as lists show them', async (t) => {
  const answer = await get()
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, {
    'content-type': 'application/x-ndjson', 'content-disposition': 'attachment; filename="students.ndjson"', 'cache-control': 'no-store', vary: 'accept'
  })
  const rows = lines(answer.body)
  t.equal(rows.length, 2_500)
  t.strictSame(rows.slice(0, 1000), expected)
  t.strictSame(rows.slice(1000, 2000), (await inject('GET', next)).json().students)
})

t.test('the filters, the order and the fields are those of lists', async (t) => {
  const rows = lines((await get('?gpa.gte=3.5&sort=-gpa,name&fields=gpa,name')).body)
  const { students: page } = (await inject('GET', '/students/?gpa.gte=3.5&sort=-gpa,name&fields=gpa,name')).json()
  t.strictSame(rows, page)
  t.strictSame(Object.keys(rows[0]), ['id', 'name', 'gpa'])
  const [tagged] = lines((await get('?fields=name,etag&name=Student 7')).body)
  t.equal(tagged.etag, (await inject('GET', `/students/${tagged.id}`)).headers.etag)
  t.strictSame(Object.keys(tagged), ['id', 'name', 'etag'])
})

t.test('the format is what the client prefers, or what the query says', async (t) => {
  const type = async (query: string, accept: string) => (await get(query, { accept })).headers['content-type']
  t.equal(await type('?gpa.gt=4', '*/*'), 'application/x-ndjson')
  t.equal(await type('?gpa.gt=4', 'text/html,*/*;q=0.8'), 'application/x-ndjson')
  t.equal(await type('?gpa.gt=4', 'application/jsonl'), 'application/jsonl')
  t.equal(await type('?gpa.gt=4', 'text/csv, application/x-ndjson;q=0.5'), 'text/csv; charset=utf-8; header=present')
  t.equal(await type('?gpa.gt=4&format=csv', 'application/x-ndjson'), 'text/csv; charset=utf-8; header=present')
  const refused = await get('', { accept: 'image/png' })
  t.equal(refused.statusCode, 406)
  t.match(refused.json().detail, 'The answer can be application/x-ndjson, application/jsonl or text/csv.')
})

t.test('CSV is what another parser reads as the same records', async (t) => {
  const { body, headers } = await get('?format=csv')
  t.equal(headers['content-disposition'], 'attachment; filename="students.csv"')
  t.ok(body.startsWith('id,name,email,course,gpa\r\n'))
  t.strictSame(parse(body, { columns: true }).map((row: any) => ({ ...row, gpa: Number(row.gpa) })), lines((await get()).body))
})

t.test('what a document lacks is empty, its empty text is a pair of quotes, and a spreadsheet runs no formula', async (t) => {
  const { app, students } = await build(t)
  await students.insertMany([{ name: '', email: 7 }, { name: '=1+1', course: '@x', gpa: -1 }, { name: null, course: 'é' }] as object[])
  const body = async (query: string) => (await app.inject(`/students/export?format=csv&fields=name,email,course,gpa,etag&${query}`)).body.replace(/[0-9a-f]{24}/g, 'ID').replace(/"""[\w-]{22}"""/g, 'TAG')
  t.equal(await body(''), 'id,name,email,course,gpa,etag\r\nID,"",,,,TAG\r\nID,=1+1,,@x,-1,TAG\r\nID,,,é,,TAG\r\n')
  t.equal(await body('excel=true'), "\ufeffid,name,email,course,gpa,etag\r\nID,\"\",,,,TAG\r\nID,'=1+1,,'@x,-1,TAG\r\nID,,,é,,TAG\r\n")
  t.equal((await app.inject('/students/export?format=csv&name=none')).body, 'id,name,email,course,gpa\r\n', 'of no records there is the header')
  t.equal((await app.inject('/students/export?name=none')).body, '')
})

t.test('a parameter that an export does not have is refused', async (t) => {
  for (const [query, errors] of [
    ['?limit=3', [{ parameter: 'limit', detail: 'is unknown' }]],
    ['?format=xml', [{ parameter: 'format', detail: 'must be ndjson or csv' }]],
    ['?excel=true', [{ parameter: 'excel', detail: 'is for CSV alone' }]],
    ['?format=csv&format=csv', [{ parameter: 'format', detail: 'must not occur more than once' }]],
    ['?fields=bla', [{ parameter: 'fields' }]]
  ] as const) {
    const answer = await get(query)
    t.equal(answer.statusCode, 422, query)
    t.match(answer.json().errors, errors)
    t.equal(answer.json().errors.length, errors.length)
  }
})

t.test('HEAD has the headers and no body', async (t) => {
  const answer = await inject('HEAD', '/students/export?format=csv')
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present')
  t.equal(answer.body, '')
})

t.test('records whose ids cannot be asked for are left out', async (t) => {
  const { app, students } = await build(t)
  await students.insertMany([{ _id: 1 as never }, { _id: 'x' as never }, { _id: 'bbbbbbbbbbbbbbbbbbbbbbbb' as never }, { name: 'One' }])
  t.match(lines((await app.inject('/students/export')).body).map(({ id }) => id).length, 2)
})

/** A repository whose records come in pieces; a piece that is an error fails. */
function inPieces (pieces: (object[] | Error)[], onEnd = () => {}): Repository {
  return {
    capabilities: ['query', 'stream'],
    async * stream () {
      try {
        for (const piece of pieces) {
          if (piece instanceof Error) throw piece
          yield { items: piece as { id: string }[] }
        }
      } finally {
        onEnd()
      }
    },
    create: async (fields) => ({ id: unknownId, ...fields }),
    list: async () => [],
    find: async () => undefined,
    update: async () => undefined,
    delete: async () => false
  }
}

t.test('a repository of a host may stream records that are plain objects', async (t) => {
  const records = [{ id: unknownId, ...janeDoe, secret: 'x' }, { id: 'b', name: 'a,b', gpa: null }]
  const { app } = await build(t, { students: inPieces([records, []]) })
  t.strictSame(lines((await app.inject('/students/export')).body), [{ id: unknownId, ...janeDoe }, { id: 'b', name: 'a,b', gpa: null }])
  t.equal((await app.inject('/students/export?format=csv&fields=name,gpa')).body, `id,name,gpa\r\n${unknownId},Jane Doe,3.5\r\nb,"a,b",\r\n`)
  const [tagged] = lines((await app.inject('/students/export?fields=etag')).body)
  const { app: other } = await build(t, { students: { ...inPieces([]), find: async () => ({ id: unknownId, ...janeDoe }) } })
  t.equal(tagged.etag, (await other.inject(`/students/${unknownId}`)).headers.etag)
})

/** What a client gets on a bare socket. */
async function raw (t: Test, students: Repository): Promise<string> {
  const { app } = await build(t, { students })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /students/export HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => { text += chunk }).on('error', () => {})
  await once(socket, 'close')
  return text
}

t.test('a failure before the first row is an error, and one on the way ends the connection without the last chunk', async (t) => {
  const { app } = await build(t, { students: inPieces([new Error('planted')]) })
  t.equal((await app.inject('/students/export')).statusCode, 500)
  const cut = await raw(t, inPieces([[{ id: 'a' }], new Error('planted')]))
  t.match(cut, /^HTTP\/1.1 200 OK/)
  t.match(cut, /{"id":"a"}/)
  t.notMatch(cut, /\r\n0\r\n\r\n$/)
})

t.test('a client that leaves ends the reading', async (t) => {
  const record = { id: 'a', name: 'x'.repeat(10_000) }
  let read = 0
  const ended = new Promise<void>((resolve) => {
    const endless = { * [Symbol.iterator] () { for (;;) { read++; yield Array(100).fill(record) } } }
    const repository = inPieces(endless as never, resolve)
    build(t, { students: repository }).then(async ({ app }) => {
      await app.listen({ port: 0, host: '127.0.0.1' })
      const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1')
      socket.write('GET /students/export HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await once(socket, 'readable')
      // a client that does not read holds it up
      await new Promise((resolve) => setTimeout(resolve, 300))
      const before = read
      await new Promise((resolve) => setTimeout(resolve, 200))
      t.ok(read - before < 5, `${read - before} pieces more were read for a client that does not take them`)
      socket.destroy()
    })
  })
  await ended
  t.pass()
})

t.test('a record that is created meanwhile does no harm', async (t) => {
  const [rows] = await Promise.all([get(), create({ name: 'Late' })])
  t.ok([2_500, 2_501].includes(lines(rows.body).length))
})
