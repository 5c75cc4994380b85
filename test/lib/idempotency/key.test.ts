import fc from 'fast-check'
import { serializeItem } from 'structured-headers'
import t from 'tap'
import { digestOf, parseKey } from '../../../lib/idempotency/key.js'

t.test('a key is the same quoted and bare', async (t) => {
  t.equal(parseKey('8e03978e-40d5-43dd-bc93-6894a57f9324'), '8e03978e-40d5-43dd-bc93-6894a57f9324')
  t.equal(parseKey('"8e03978e"'), '8e03978e')
  t.equal(parseKey(' "a" '), 'a')
  t.equal(parseKey('"a\\"b\\\\"'), 'a"b\\')
})

t.test('a key that structured fields serialize is read as it was', async (t) => {
  const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 255 })
  fc.assert(fc.property(visible, (key) => parseKey(serializeItem([key, new Map()])) === key))
  t.pass()
})

t.test('what is empty, too long or not visible is no key', async (t) => {
  for (const field of ['', ' ', '""', 'a b', '"a b"', '"a', 'a"'.padStart(300, 'x'), '"a"b', '"a\\x"', 'é', '"\t"', 'a, a', 'x'.repeat(256), `"${'x'.repeat(256)}"`]) {
    t.throws(() => parseKey(field), { statusCode: 400, code: 'SCA_MALFORMED_KEY' }, JSON.stringify(field))
  }
  t.equal(parseKey('x'.repeat(255)).length, 255)
})

t.test('a digest tells its parts from each other', async (t) => {
  t.not(digestOf('a', 'bc'), digestOf('ab', 'c'))
  t.not(digestOf(undefined, 'a'), digestOf('', 'a'))
  t.equal(digestOf('a'), digestOf('a'))
})
