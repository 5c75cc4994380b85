import t from 'tap'
import { toFaults } from '../../../lib/http/validation-faults.js'
import { createValidatorCompiler } from '../../../lib/http/validator.js'

function faultsOf (schema: object, value: unknown) {
  const validate = createValidatorCompiler()({ schema })
  validate(value)
  return toFaults(validate.errors ?? [])
}

t.test('the pointer of a missing field is escaped after RFC 6901', async (t) => {
  const schema = { type: 'object', required: ['a/b', 'c~d'], properties: { 'a/b': {}, 'c~d': {} } }
  t.strictSame(faultsOf(schema, {}), [
    { pointer: '/a~1b', detail: 'is required' },
    { pointer: '/c~0d', detail: 'is required' }
  ])
})

t.test('the pointer of a nested fault leads to it', async (t) => {
  const schema = { type: 'object', properties: { 'a/b': { type: 'array', items: { type: 'object', required: ['c'], properties: { c: {} } } } } }
  t.strictSame(faultsOf(schema, { 'a/b': [{ c: 1 }, {}] }), [{ pointer: '/a~1b/1/c', detail: 'is required' }])
})

t.test('the pointer of a member that is not wanted leads to it', async (t) => {
  const schema = { type: 'object', properties: { ab: {} }, additionalProperties: false }
  t.strictSame(faultsOf(schema, { Ab: 1, 'x/y': 1 }), [{ pointer: '/Ab', detail: 'must not stand here; did you mean ab?' }, { pointer: '/x~1y', detail: 'must not stand here' }])
})

t.test('what tells kinds of objects from each other is asked for, and says what it may be', async (t) => {
  const kind = (name: string) => ({ type: 'object', required: ['kind'], properties: { kind: { const: name } } })
  const schema = { type: 'object', discriminator: { propertyName: 'kind' }, oneOf: [kind('a'), kind('b')] }
  t.strictSame(faultsOf(schema, {}), [{ pointer: '/kind', detail: 'is required' }])
  for (const value of ['c', 1, null]) t.strictSame(faultsOf(schema, { kind: value }), [{ pointer: '/kind', detail: 'must be a or b' }])
  t.strictSame(faultsOf(schema, { kind: 'b' }), [])
})

t.test('a wrong type names every right one', async (t) => {
  t.strictSame(faultsOf({ type: ['number', 'string'] }, null), [{ pointer: '', detail: 'must be number or string' }])
})

t.test('a pattern is told as it is, but beside a number by its bounds', async (t) => {
  t.strictSame(faultsOf({ type: 'string', pattern: '^a$' }, 'b'), [{ pointer: '', detail: 'must match pattern "^a$"' }])
  const numeral = { type: ['number', 'string'], minimum: 1, maximum: 2, pattern: '^[12]$' }
  t.strictSame(faultsOf(numeral, 'b'), [{ pointer: '', detail: 'must be a number from 1 to 2' }])
})

t.test('a value has one fault, the first that is found', async (t) => {
  t.strictSame(faultsOf({ type: 'string', minLength: 1, pattern: '^a$' }, ''), [{ pointer: '', detail: 'must NOT have fewer than 1 characters' }])
})
