import t from 'tap'
import { equalGet } from '../../../lib/query/equal-get.js'
import { compileGrammar } from '../../../lib/query/grammar.js'
import { parseBody } from '../../../lib/query/parse-body.js'
import { parseQuery } from '../../../lib/query/parse.js'
import { student } from '../../../schemas/student.js'

const grammar = compileGrammar(student.fields)
const reference = (body: object, path = '/students/') => equalGet(path, parseBody(body, grammar))

t.test('the equal GET asks what the body asks', async (t) => {
  for (const body of [
    {},
    { filter: { 'gpa.gte': -1.5e-7, 'gpa.in': [1e21, 0, 3.5], 'course.in': ['A, B', 'C&D=é+ %', ''], 'name.exists': true, id: '66b3f0a1c2d4e5f601234567' } },
    { filter: { 'created.gt': '2026-01-31T12:00:00.5+01:00', name: '\0', 'email.icontains': '\u{10ffff}' }, sort: ['-gpa', 'name'], fields: ['name', 'etag'] },
    { limit: 20, offset: 7, count: 'exact' },
    { limit: 1_000, offset: 0, cursor: undefined },
    { cursor: 'AQB-_' }
  ]) {
    const query = parseBody(Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)), grammar)
    const url = String(equalGet('/students/', query))
    t.match(url, /^\/students\/(\?[\w.~!*'();:@&=,/?%-]+)?$/)
    t.strictSame(parseQuery(url.split('?')[1] ?? '', grammar), query, url)
  }
  t.equal(reference({ filter: { 'gpa.gte': 3 }, sort: '-gpa,name', limit: 20 }), '/students/?gpa.gte=3&sort=-gpa,name&limit=20')
  t.equal(reference({}, '/é'), '/%C3%A9', 'a path with what a header can\'t hold')
})

t.test('there is none for an or, a list of more than 100 values, or what is too long for a URL', async (t) => {
  const list = (length: number) => ({ filter: { 'gpa.in': Array.from({ length }, (_, n) => n) } })
  t.ok(reference(list(100)))
  t.notOk(reference(list(101)))
  t.notOk(reference({ filter: { or: [{ name: 'a' }, { name: 'b' }] } }))
  t.equal(reference({ filter: { name: 'x'.repeat(4_080) } })?.length, 4_096)
  t.notOk(reference({ filter: { name: 'x'.repeat(4_081) } }))
})
