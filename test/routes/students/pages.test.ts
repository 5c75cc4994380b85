import { createHash } from 'node:crypto'
import { serialize } from 'bson'
import { Double, ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'

interface Student { id: string, name: string, gpa?: number, etag?: string }

const { inject, students } = await build(t)
const get = async (path: string) => {
  const answer = await inject('GET', path)
  return { status: answer.statusCode, headers: answer.headers, body: answer.json(), link: linksOf(answer.headers.link) }
}
const names = ({ body }: { body: { students: Student[] } }) => body.students.map(({ name }) => name).join('')

function linksOf (header: unknown): Record<string, string> {
  return Object.fromEntries([...String(header).matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, path, relation]) => [relation, path]))
}

/** An id that was made in this second. */
const idAt = (seconds: number) => ObjectId.createFromTime(seconds)

t.before(async () => {
  const documents = Array.from('abcdefghij', (name, n) => ({
    _id: idAt(1_700_000_000 + n), name, email: `${name}@example.com`, course: n % 2 === 0 ? 'A, B' : 'C', gpa: new Double(n % 3)
  }))
  await students.insertMany([...documents, { _id: 5 as never, name: 'foreign' }, { _id: idAt(1_600_000_000), name: 'z', gpa: 'none' }])
})

t.test('a list goes on by next until the end, and back by prev, with every record once', async (t) => {
  const forwards: string[] = []
  let path: string | undefined = '/students/?limit=4'
  while (path !== undefined) {
    const page: Awaited<ReturnType<typeof get>> = await get(path)
    t.equal(page.status, 200)
    t.equal(page.body.next, page.link.next)
    forwards.push(names(page))
    path = page.body.next
  }
  t.strictSame(forwards, ['zabc', 'defg', 'hij'])
  const last = await get(String((await get('/students/?limit=4')).link.last))
  t.equal(names(last), 'ghij')
  t.notOk(last.link.next)
  const before = await get(String(last.link.prev))
  t.equal(names(before), 'cdef')
  t.ok(before.link.next)
  const first = await get(String(before.link.prev))
  t.equal(names(first), 'zab')
  t.notOk(first.link.prev)
  t.equal(names(await get(String(first.link.first))), 'zabc')
})

t.test('a short list is what it was, without next', async (t) => {
  const { body, link } = await get('/students')
  t.strictSame(Object.keys(body), ['students'])
  t.equal(names({ body }), 'zabcdefghij')
  t.strictSame(Object.keys(link), ['first', 'last'])
  t.strictSame((await get('/students?name=nobody')).body, { students: [] })
})

t.test('records are sorted by several keys, what lacks the first one first', async (t) => {
  t.equal(names(await get('/students/?sort=gpa,-name&gpa.lte=3')), 'jgdahebifc')
  t.equal(names(await get('/students/?sort=-gpa&limit=4')), 'zifc', 'text sorts above numbers')
  t.equal(names(await get('/students/?sort=-id&limit=3')), 'jih')
})

t.test('filters are all met, each by its own field', async (t) => {
  for (const [query, expected] of [
    ['gpa.gte=1&course=A,+B', 'ceig'.split('').filter((name) => name !== 'g').sort().join('')], ['name.in=b&name.in=d&name.in=x', 'bd'], ['course.ne=C', 'zacegi'],
    ['name.prefix=a', 'a'], ['course.contains=,', 'acegi'], ['course.icontains=c', 'bdfhj'], ['gpa.exists=false', 'z'], ['created.gte=2020-09-13T12:26:41Z', 'abcdefghij'],
    ['id.gt=' + idAt(1_700_000_007).toHexString(), 'ij'], ['id=' + idAt(1_600_000_000).toHexString(), 'z']
  ] as const) t.equal(names(await get(`/students/?${query}`)), expected, query)
})

t.test('fields answers some fields alone, with each record\'s tag where it is asked for', async (t) => {
  const { body } = await get('/students/?fields=name&limit=2')
  t.strictSame(body.students.map(({ id, ...rest }: Student) => rest), [{ name: 'z' }, { name: 'a' }])
  const tagged = (await get('/students/?fields=etag&limit=2')).body.students as Student[]
  for (const { id, ...rest } of tagged) t.strictSame(rest, { etag: (await get(`/students/${id}`)).headers.etag })
  t.strictSame(Object.keys((await get(`/students/${tagged[1]?.id}?fields=gpa`)).body), ['id', 'gpa'])
})

t.test('a total is exact, or bounded', async (t) => {
  t.strictSame((await get('/students/?count=exact&limit=1&course=C')).body.total, { value: 5, relation: 'eq' })
  t.strictSame((await get('/students/?count=bounded&limit=1&gpa.exists=true')).body.total, { value: 10, relation: 'eq' })
  t.strictSame((await get('/students/?count=exact&name=nobody')).body.total, { value: 0, relation: 'eq' })
})

t.test('an offset skips records, and goes on by a cursor', async (t) => {
  const page = await get('/students/?offset=2&limit=3')
  t.equal(names(page), 'bcd')
  t.equal(names(await get(String(page.link.next))), 'efg')
  t.equal(names(await get(String(page.link.prev))), 'za')
})

t.test('a cursor may go on with another limit or other fields, and not with another sort or filter', async (t) => {
  const { cursor } = Object.fromEntries(new URL(String((await get('/students/?sort=name&limit=2&gpa.gte=0')).link.next), 'http://x').searchParams)
  t.equal(names(await get(`/students/?gpa.gte=0&sort=name&limit=3&fields=name&cursor=${cursor}`)), 'cde')
  for (const query of ['sort=-name&gpa.gte=0', 'sort=name&gpa.gte=1', 'sort=name', '']) {
    const { status, body } = await get(`/students/?${query}&cursor=${cursor}`)
    t.equal(status, 422)
    t.strictSame(body.errors, [{ parameter: 'cursor', detail: 'belongs to another sort or filter' }])
  }
})

t.test('a cursor whose values are not those of the sort is a fault, even where somebody made it fit', async (t) => {
  const { cursor = '' } = Object.fromEntries(new URL(String((await get('/students/?sort=name&limit=2')).link.next), 'http://x').searchParams)
  const head = Buffer.from(cursor, 'base64url').subarray(0, 10)
  const forge = (values: object) => {
    const body = Buffer.concat([head, serialize(values)])
    return Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 4)]).toString('base64url')
  }
  const _id = new ObjectId()
  t.equal((await get(`/students/?sort=name&cursor=${forge({ name: 'b', _id })}`)).status, 200)
  for (const values of [{ name: 'b' }, { name: ['b'], _id }, { name: { $gt: '' }, _id, x: 1 }, { name: 'b', _id: /x/ }]) {
    t.match((await get(`/students/?sort=name&cursor=${forge(values)}`)).body, { status: 422, errors: [{ parameter: 'cursor', detail: 'is malformed' }] })
  }
})

t.test('a value that is too long for a cursor begins a page rather than ends one', async (t) => {
  const { inject, students } = await build(t)
  await students.insertMany(['a', 'b'.repeat(5_000), 'c'].map((name) => ({ name })))
  const first = (await inject('GET', '/students/?sort=name&limit=1')).json()
  t.strictSame(first.students.map(({ name }: Student) => name), ['a'])
  const second = await inject('GET', first.next)
  t.equal(second.statusCode, 422)
  t.match(second.json().errors, [{ parameter: 'sort', detail: /too long/ }])
  t.equal((await inject('GET', first.next.replace('limit=1', 'limit=2'))).json().students.length, 2, 'a longer page gets past it')
})

t.test('HEAD has the references of GET', async (t) => {
  const head = await inject('HEAD', '/students/?limit=4')
  t.equal(head.headers.link, (await inject('GET', '/students/?limit=4')).headers.link)
  t.equal(head.body, '')
})

t.test('a parameter that a route does not know is a fault on every route', async (t) => {
  const id = new ObjectId().toHexString()
  for (const [method, path] of [['GET', `/students/${id}?x=1`], ['PUT', `/students/${id}?x=1`], ['DELETE', `/students/${id}?x=1`], ['POST', '/students/?limit=1'],
    ['GET', '/users/johndoe?x=1']] as const) {
    const answer = await inject(method, path, method === 'PUT' || method === 'POST' ? { name: 'x', email: 'x@example.com', course: 'x', gpa: 1 } : undefined)
    t.equal(answer.statusCode, 422, `${method} ${path}`)
    t.match(answer.json(), { detail: 'The query is not valid.', errors: [{ detail: /is unknown/ }] })
  }
  t.match((await inject('GET', '/students/?name=%ff')).json(), { status: 400, detail: 'The query is not percent-encoded UTF-8.' })
})
