import { Type } from '@sinclair/typebox'
import t from 'tap'
import { compileGrammar, selectionGrammar } from '../../../lib/query/grammar.js'
import { parseNoQuery, parseQuery } from '../../../lib/query/parse.js'
import { InvalidQueryError, MalformedQueryError } from '../../../lib/query/query-error.js'
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
const parse = (text: string) => parseQuery(text, grammar)
const values = (text: string) => parse(text).conditions.map(({ field, operator, value }) => [field, operator, value])

function faults (text: string): [string, string][] {
  try {
    parse(text)
    return []
  } catch (error) {
    return (error as InvalidQueryError).faults.map(({ parameter, detail }) => [parameter, detail])
  }
}

t.test('without parameters a list is the first 1000 records', async (t) => {
  const plain = { conditions: [], sort: [], limit: 1_000, offset: 0 }
  t.strictSame(parse(''), plain)
  t.strictSame(parse('&&'), plain)
})

t.test('each operator gives a condition with a value of the type of its field', async (t) => {
  t.strictSame(values('title=a+b%2Bc'), [['title', 'eq', 'a b+c']])
  t.strictSame(values('title'), [['title', 'eq', '']], 'no value is the empty text')
  t.strictSame(values('title=null'), [['title', 'eq', 'null']])
  t.strictSame(values('title.in=A,B&title.in=C'), [['title', 'in', ['A,B', 'C']]])
  t.strictSame(values('title.prefix=x&title.contains=y&title.icontains=z'), [['title', 'prefix', 'x'], ['title', 'contains', 'y'], ['title', 'icontains', 'z']])
  t.strictSame(values('rate.gte=-1.5e-1&rate.ne=0'), [['rate', 'gte', -0.15], ['rate', 'ne', 0]])
  t.strictSame(values('credits.lt=7&credits.in=1&credits.in=2'), [['credits', 'lt', 7], ['credits', 'in', [1, 2]]])
  t.strictSame(values('is_open=true&title.exists=false'), [['is_open', 'eq', true], ['title', 'exists', false]])
  t.strictSame(values('level=first'), [['level', 'eq', 'first']])
  t.strictSame(values('level.gt=a'), [['level', 'gt', 'a']], 'a bound may be any text')
  t.strictSame(values('begins.gt=2026-01-31T12:00:00%2B01:00'), [['begins', 'gt', new Date('2026-01-31T11:00:00Z')]])
  t.strictSame(values('created.lte=2024-02-29T00:00:00z'), [['created', 'lte', new Date('2024-02-29T00:00:00Z')]])
  t.strictSame(values('id=66b3f0a1c2d4e5f601234567'), [['id', 'eq', '66b3f0a1c2d4e5f601234567']])
})

t.test('sort, fields, limit, offset, cursor and count are taken as they are', async (t) => {
  const { conditions, ...page } = parse('sort=-rate,title&fields=id,title,id,etag&limit=20&offset=10000&count=exact')
  t.strictSame(page, {
    sort: [{ field: 'rate', isDescending: true }, { field: 'title', isDescending: false }], fields: ['id', 'title', 'etag'], limit: 20, offset: 10_000, count: 'exact'
  })
  t.strictSame(parse('cursor=abc').cursor, 'abc')
  t.strictSame(parse('sort=-id').sort, [{ field: 'id', isDescending: true }])
})

for (const [query, ...expected] of [
  ['titel=x', ['titel', 'is unknown; did you mean title?']],
  ['rate.get=1', ['rate.get', 'is unknown; did you mean rate.gte?']],
  ['Title=x', ['Title', 'is unknown; did you mean title?']],
  ['__proto__=x&constructor=y', ['__proto__', 'is unknown'], ['constructor', 'is unknown']],
  ['created=2026-01-31T12:00:00Z', ['created', 'is unknown']],
  ['limit=1&limit=2', ['limit', 'must not occur more than once']],
  ['title=a&title=a', ['title', 'must not occur more than once']],
  ['rate=1,5', ['rate', 'must be a number']],
  ['rate=', ['rate', 'must be a number']],
  ['rate=1e999', ['rate', 'must be a number']],
  ['rate=0x1', ['rate', 'must be a number']],
  ['credits=1.5', ['credits', 'must be an integer']],
  ['credits=9007199254740993', ['credits', 'must be an integer']],
  ['is_open=1', ['is_open', 'must be true or false']],
  ['title.exists=yes', ['title.exists', 'must be true or false']],
  ['level=third', ['level', 'must be one of first, second']],
  ['level.in=first&level.in=x', ['level.in', 'must be one of first, second']],
  ['begins.gt=2026-02-30T00:00:00Z', ['begins.gt', 'must be a time with its offset, such as 2026-01-31T12:00:00Z']],
  ['created.gt=2026-01-31T12:00:00', ['created.gt', 'must be a time with its offset, such as 2026-01-31T12:00:00Z']],
  ['created.gt=2026-13-31T12:00:00Z', ['created.gt', 'must be a time with its offset, such as 2026-01-31T12:00:00Z']],
  ['id=5', ['id', 'must be 24 hexadecimal digits']],
  [Array.from({ length: 101 }, (_, n) => `title.in=${n}`).join('&'), ['title.in', 'must not occur more than 100 times']],
  ['sort=titel', ['sort', 'must not name "titel", which is unknown; did you mean title?']],
  ['sort=', ['sort', 'must not name "", which is unknown; there are id, title, level, credits, rate, is_open, begins']],
  ['sort=title,-title', ['sort', 'must not name a field twice']],
  ['sort=title,rate,level,credits', ['sort', 'must not have more than 3 keys']],
  ['sort=id,title', ['sort', 'must not go on after id, which no two records share']],
  ['fields=title,nmae', ['fields', 'must not name "nmae", which is unknown; there are id, title, level, credits, rate, is_open, begins, etag']],
  ['limit=0', ['limit', 'must be an integer from 1 to 1000']],
  ['limit=1001', ['limit', 'must be an integer from 1 to 1000']],
  ['limit=-1', ['limit', 'must be an integer from 1 to 1000']],
  ['offset=10001', ['offset', 'must be an integer from 0 to 10000; follow the cursor of `next` instead']],
  ['offset=x', ['offset', 'must be an integer from 0 to 10000']],
  ['offset=0&cursor=x', ['offset', 'must not stand beside a cursor']],
  ['count=yes', ['count', 'must be bounded or exact']],
  [`cursor=${'x'.repeat(4_097)}`, ['cursor', 'must not be longer than 4096 characters']],
  ['x=1&limit=0&rate=a', ['x', 'is unknown'], ['rate', 'must be a number'], ['limit', 'must be an integer from 1 to 1000']]
] as [string, ...[string, string][]][]) {
  t.test(`${query.slice(0, 60)} is a fault`, async (t) => t.strictSame(faults(query), expected))
}

t.test('what is not percent-encoded UTF-8 is an error of its own', async (t) => {
  for (const query of ['%zz=1', 'title=%', 'title=%ff', 'title=%c3%28']) t.throws(() => parse(query), MalformedQueryError, query)
})

t.test('a route without a query takes no parameter, and one of a single record takes fields', async (t) => {
  t.throws(() => parseNoQuery('x=1'), InvalidQueryError)
  t.doesNotThrow(() => parseNoQuery('&'))
  const selection = selectionGrammar(fields)
  t.strictSame(parseQuery('fields=title', selection).fields, ['title'])
  t.throws(() => parseQuery('limit=1', selection), InvalidQueryError)
  t.throws(() => parseQuery('fields=etag', selection), InvalidQueryError)
})

t.test('the parameters in OpenAPI are those that are taken', async (t) => {
  const { properties } = grammar.schema
  t.strictSame(Object.keys(properties).filter((name) => name.startsWith('title')), ['title', 'title.ne', 'title.in', 'title.gt', 'title.gte', 'title.lt', 'title.lte',
    'title.prefix', 'title.contains', 'title.icontains', 'title.exists'])
  t.match(properties['rate.gte'], { type: 'number' })
  t.match(properties['credits.in'], { type: 'array', items: { type: 'integer' }, maxItems: 100 })
  t.match(properties.level, { enum: ['first', 'second'] })
  t.notOk(properties['level.gt']?.enum)
  t.match(properties['created.gt'], { format: 'date-time' })
  for (const [name, { description }] of Object.entries(properties)) t.match(description, /^[A-Z].*\.$/, name)
  t.match('-rate,title', new RegExp(String(properties.sort?.pattern)))
  t.notMatch('rate,titel', new RegExp(String(properties.sort?.pattern)))
})
