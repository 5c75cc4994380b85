import t from 'tap'
import { digest, isNamed, parseEntityTags } from '../../../lib/http/entity-tags.js'

t.test('a list of entity tags is parsed as RFC 9110 has it', async (t) => {
  t.strictSame(parseEntityTags('"a"'), [{ isWeak: false, opaque: 'a' }])
  t.strictSame(parseEntityTags('W/"a", "b,c" ,,"",'), [{ isWeak: true, opaque: 'a' }, { isWeak: false, opaque: 'b,c' }, { isWeak: false, opaque: '' }])
  t.equal(parseEntityTags(' * '), '*')
  for (const malformed of ['', 'a', '"a', '"a" "b"', '*, "a"', 'w/"a"', '"a b"']) t.equal(parseEntityTags(malformed), undefined, malformed)
})

t.test('If-None-Match compares weakly, and names nothing where it is malformed', async (t) => {
  t.ok(isNamed('W/"a", "b"', 'a'))
  t.ok(isNamed('"b"', 'b'))
  t.ok(isNamed('*', 'x'))
  for (const field of [undefined, '"c"', 'a', '']) t.notOk(isNamed(field, 'a'), String(field))
})

t.test('a digest is the same for the same content', async (t) => {
  t.equal(digest('x'), digest(Buffer.from('x')))
  t.not(digest('x'), digest('y'))
  t.match(digest('x'), /^[\w-]{22}$/)
})
