import { Type } from '@sinclair/typebox'
import t from 'tap'
import { compileGrammar } from '../../../lib/query/grammar.js'
import { parseBody } from '../../../lib/query/parse-body.js'
import type { InvalidBodyError } from '../../../lib/http/body-error.js'
import { InvalidQueryError } from '../../../lib/query/query-error.js'
import { defineResource, text } from '../../../app.js'

const { fields } = defineResource({
  name: 'course',
  description: 'Courses.',
  fields: {
    title: text(9),
    level: Type.Unsafe<string>({ type: 'string', enum: ['first', 'second'] }),
    credits: Type.Integer(),
    rate: Type.Number(),
    is_open: Type.Boolean(),
    begins: Type.String({ format: 'date-time' })
  },
  example: { title: 'x', level: 'first', credits: 1, rate: 1, is_open: true, begins: '2026-01-01T00:00:00Z' }
})
const grammar = compileGrammar(fields)
const parse = (body: unknown) => parseBody(body, grammar)
const values = (filter: object) => parse({ filter }).conditions.map(({ field, operator, value }) => [field, operator, value])

function faults (body: unknown): [string, string][] {
  try {
    parse(body)
    return []
  } catch (error) {
    const { message, faults } = error as InvalidBodyError
    t.equal(message, 'The body is not valid.')
    return faults.map(({ detail, ...at }) => [Object.values(at).join(), detail])
  }
}

t.test('without members a list is the first 1000 records', async (t) => {
  const plain = { conditions: [], sort: [], limit: 1_000, offset: 0 }
  t.strictSame(parse({}), plain)
  t.strictSame(parse({ filter: {} }), plain)
})

t.test('each operator takes a value of JSON of the type of its field', async (t) => {
  t.strictSame(values({ title: 'a b+c', 'title.ne': '' }), [['title', 'eq', 'a b+c'], ['title', 'ne', '']])
  t.strictSame(values({ 'title.in': ['A,B', 'C'] }), [['title', 'in', ['A,B', 'C']]])
  t.strictSame(values({ 'title.prefix': 'x', 'title.contains': 'y', 'title.icontains': 'z' }), [['title', 'prefix', 'x'], ['title', 'contains', 'y'], ['title', 'icontains', 'z']])
  t.strictSame(values({ 'rate.gte': -0.15, 'rate.ne': 0, 'rate.gt': 1e300 }), [['rate', 'gte', -0.15], ['rate', 'ne', 0], ['rate', 'gt', 1e300]])
  t.strictSame(values({ 'credits.lt': 7, 'credits.in': [1, 2] }), [['credits', 'lt', 7], ['credits', 'in', [1, 2]]])
  t.strictSame(values({ is_open: true, 'title.exists': false }), [['is_open', 'eq', true], ['title', 'exists', false]])
  t.strictSame(values({ level: 'first', 'level.gt': 'a' }), [['level', 'eq', 'first'], ['level', 'gt', 'a']])
  t.strictSame(values({ 'begins.in': ['2026-01-31T12:00:00+01:00'] }), [['begins', 'in', [new Date('2026-01-31T11:00:00Z')]]])
  t.strictSame(values({ 'created.lte': '2024-02-29T00:00:00z' }), [['created', 'lte', new Date('2024-02-29T00:00:00Z')]])
  t.strictSame(values({ id: '66b3f0a1c2d4e5f601234567' }), [['id', 'eq', '66b3f0a1c2d4e5f601234567']])
  t.strictSame(values({ 'credits.in': Array.from({ length: 1_000 }, (_, n) => n) })[0]?.[2], Array.from({ length: 1_000 }, (_, n) => n))
})

t.test('an or holds filters beside those that stand with it', async (t) => {
  const { conditions, anyOf } = parse({ filter: { 'rate.gte': 1, or: [{ title: 'a', 'credits.lt': 2 }, { 'title.exists': false }] } })
  t.match(conditions, [{ field: 'rate', operator: 'gte', value: 1 }])
  t.match(anyOf, [[{ field: 'title', operator: 'eq', value: 'a' }, { field: 'credits', operator: 'lt', value: 2 }], [{ field: 'title', operator: 'exists', value: false }]])
  t.equal(parse({ filter: { or: Array.from({ length: 10 }, () => ({ title: 'a' })) } }).anyOf?.length, 10)
})

t.test('sort and fields are texts as in a query, or lists', async (t) => {
  const sort = [{ field: 'rate', isDescending: true }, { field: 'title', isDescending: false }]
  const page = { conditions: [], sort, fields: ['id', 'title', 'etag'], limit: 20, offset: 10_000, count: 'exact' }
  t.strictSame(parse({ sort: '-rate,title', fields: 'id,title,id,etag', limit: 20, offset: 10_000, count: 'exact' }), page)
  t.strictSame(parse({ sort: ['-rate', 'title'], fields: ['id', 'title', 'id', 'etag'], limit: 20, offset: 10_000, count: 'exact' }), page)
  t.strictSame(parse({ cursor: 'abc' }).cursor, 'abc')
})

const NUMBER = 'must be a number'
const TIME = 'must be a time with its offset, such as 2026-01-31T12:00:00Z'
const two = [{ title: 'a' }, { title: 'b' }]

for (const [body, ...expected] of [
  [null, ['', 'must be object']],
  [[], ['', 'must be object']],
  ['x', ['', 'must be object']],
  [{ filters: {} }, ['/filters', 'is unknown; did you mean filter?']],
  [{ 'a/b~': 1, constructor: 1 }, ['/a~1b~0', 'is unknown'], ['/constructor', 'is unknown']],
  [JSON.parse('{"__proto__":{},"filter":{"__proto__":{}}}'), ['/__proto__', 'is unknown'], ['/filter/__proto__', 'is unknown']],
  [{ filter: [] }, ['/filter', 'must be object']],
  [{ filter: null }, ['/filter', 'must be object']],
  [{ filter: { 'rate.get': 1 } }, ['/filter/rate.get', 'is unknown; did you mean rate.gte?']],
  [{ filter: { '~/': 1, Or: two } }, ['/filter/~0~1', 'is unknown'], ['/filter/Or', 'is unknown; did you mean or?']],
  [{ filter: { rate: { $gt: 1 } } }, ['/filter/rate', NUMBER]],
  [{ filter: { title: { $ne: null } } }, ['/filter/title', 'must be text']],
  [{ filter: { title: null } }, ['/filter/title', 'must be text']],
  [{ filter: { title: 5 } }, ['/filter/title', 'must be text']],
  [{ filter: { title: ['a'] } }, ['/filter/title', 'must be text']],
  [{ filter: { title: '\ud800' } }, ['/filter/title', 'must be well-formed Unicode, without lone surrogates']],
  [{ filter: { rate: '1' } }, ['/filter/rate', NUMBER]],
  [{ filter: { rate: Infinity } }, ['/filter/rate', NUMBER]],
  [{ filter: { credits: 1.5, 'credits.ne': 2 ** 53 } }, ['/filter/credits', 'must be an integer'], ['/filter/credits.ne', 'must be an integer']],
  [{ filter: { is_open: 'true', 'title.exists': 1 } }, ['/filter/is_open', 'must be true or false'], ['/filter/title.exists', 'must be true or false']],
  [{ filter: { level: 'third' } }, ['/filter/level', 'must be one of first, second']],
  [{ filter: { 'begins.gt': '2026-02-30T00:00:00Z', 'created.gt': 5 } }, ['/filter/begins.gt', TIME], ['/filter/created.gt', TIME]],
  [{ filter: { id: '5' } }, ['/filter/id', 'must be 24 hexadecimal digits']],
  [{ filter: { id: 5 } }, ['/filter/id', 'must be 24 hexadecimal digits']],
  [{ filter: { 'title.in': 'a' } }, ['/filter/title.in', 'must be a list of 1 to 1000 values']],
  [{ filter: { 'title.in': [] } }, ['/filter/title.in', 'must be a list of 1 to 1000 values']],
  [{ filter: { 'rate.in': Array.from({ length: 1_001 }, () => 1) } }, ['/filter/rate.in', 'must be a list of 1 to 1000 values']],
  [{ filter: { 'rate.in': [1, 'x', 2, null] } }, ['/filter/rate.in/1', NUMBER], ['/filter/rate.in/3', NUMBER]],
  [{ filter: { or: {} } }, ['/filter/or', 'must be a list of 2 to 10 filters']],
  [{ filter: { or: [{ title: 'a' }] } }, ['/filter/or', 'must be a list of 2 to 10 filters']],
  [{ filter: { or: Array.from({ length: 11 }, () => ({ title: 'a' })) } }, ['/filter/or', 'must be a list of 2 to 10 filters']],
  [{ filter: { or: [{ title: 'a' }, 5, null, {}] } },
    ['/filter/or/1', 'must be object'], ['/filter/or/2', 'must be object'], ['/filter/or/3', 'must not be empty, which every record meets']],
  [{ filter: { or: [{ titel: 'a' }, { 'rate.in': [1, 'x'], or: two }] } },
    ['/filter/or/0/titel', 'is unknown; did you mean title?'], ['/filter/or/1/or', 'must not stand within another one'], ['/filter/or/1/rate.in/1', NUMBER]],
  [{ sort: 'titel' }, ['/sort', 'must not name "titel", which is unknown; did you mean title?']],
  [{ sort: ['title', 'titel', 5] }, ['/sort/2', 'must be text'], ['/sort/1', 'must not name "titel", which is unknown; did you mean title?']],
  [{ sort: ['title', '-title'] }, ['/sort', 'must not name a field twice']],
  [{ sort: ['id', 'title', 'rate', 'level'] }, ['/sort', 'must not have more than 3 keys'], ['/sort', 'must not go on after id, which no two records share']],
  [{ sort: [] }, ['/sort', 'must be text, or a list of text that is not empty']],
  [{ sort: { title: 1 } }, ['/sort', 'must be text, or a list of text that is not empty']],
  [{ fields: ['title', 'nmae'] }, ['/fields/1', 'must not name "nmae", which is unknown; there are id, title, level, credits, rate, is_open, begins, etag']],
  [{ fields: null }, ['/fields', 'must be text, or a list of text that is not empty']],
  [{ limit: 0 }, ['/limit', 'must be an integer from 1 to 1000']],
  [{ limit: '5' }, ['/limit', 'must be an integer from 1 to 1000']],
  [{ limit: null }, ['/limit', 'must be an integer from 1 to 1000']],
  [{ limit: 1.5 }, ['/limit', 'must be an integer from 1 to 1000']],
  [{ offset: 10_001 }, ['/offset', 'must be an integer from 0 to 10000; go on by a cursor instead']],
  [{ offset: -1 }, ['/offset', 'must be an integer from 0 to 10000']],
  [{ offset: 0, cursor: 'x' }, ['/offset', 'must not stand beside a cursor']],
  [{ cursor: 5 }, ['/cursor', 'must be text']],
  [{ cursor: 'x'.repeat(4_097) }, ['/cursor', 'must not be longer than 4096 characters']],
  [{ count: true }, ['/count', 'must be bounded or exact']],
  [{ x: 1, filter: { rate: 'a', or: [] }, sort: 'x', fields: '', limit: 0, cursor: 1, offset: 'a', count: 0 },
    ['/x', 'is unknown'], ['/filter/rate', NUMBER], ['/filter/or', 'must be a list of 2 to 10 filters'],
    ['/sort', 'must not name "x", which is unknown; there are id, title, level, credits, rate, is_open, begins'],
    ['/fields', 'must not name "", which is unknown; there are id, title, level, credits, rate, is_open, begins, etag'],
    ['/limit', 'must be an integer from 1 to 1000'], ['/cursor', 'must be text'], ['/offset', 'must be an integer from 0 to 10000'],
    ['/count', 'must be bounded or exact'], ['/offset', 'must not stand beside a cursor']]
] as [unknown, ...[string, string][]][]) {
  t.test(`${JSON.stringify(body).slice(0, 70)} is a fault`, async (t) => t.strictSame(faults(body), expected))
}

t.test('a fault of a parameter has its pointer in a body', async (t) => {
  const { message, faults } = new InvalidQueryError([{ parameter: 'cursor', detail: 'is malformed' }]).inBody()
  t.strictSame([message, faults], ['The body is not valid.', [{ pointer: '/cursor', detail: 'is malformed' }]])
})
