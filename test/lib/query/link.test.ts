import t from 'tap'
import { linkHeader, pageReferences } from '../../../lib/query/link.js'

t.test('references keep every parameter as it came, but for the place', async (t) => {
  const url = '/college/students/?name=a%20b&cursor=x&limit=2&offset=4&sort=-gpa&cursors=1'
  const kept = '/college/students/?name=a%20b&limit=2&sort=-gpa&cursors=1'
  t.strictSame(pageReferences(url, { next: 'N', prev: 'P', last: 'L' }), {
    first: kept, prev: `${kept}&cursor=P`, next: `${kept}&cursor=N`, last: `${kept}&cursor=L`
  })
  t.strictSame(pageReferences('/students', {}), { first: '/students' })
  t.strictSame(pageReferences('/students?offset', { next: 'N' }), { first: '/students', next: '/students?cursor=N' })
})

t.test('a header has no character that a URI does not have', async (t) => {
  t.equal(linkHeader({ first: '/a?b=<é>"%41', next: '/c' }), '</a?b=%3C%C3%A9%3E%22%41>; rel="first", </c>; rel="next"')
})
