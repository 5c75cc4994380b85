import { Code, DBRef, ObjectId, serialize } from 'bson'
import t, { type Test } from 'tap'
import { append, documentOf, fieldsOf, maxDepth, types, validate } from '../../embedded/bson.js'
import { int32 } from './support.js'

/** A document with one element `v`. */
function withValue (type: number, ...value: Uint8Array[]): Buffer {
  return documentOf([{ type, name: 'v', value: Buffer.concat(value) }])
}

function nested (levels: number, make: (inner: object) => object): Buffer {
  let value: object = {}
  for (let level = 0; level < levels; level++) value = make(value)
  return Buffer.from(serialize(value))
}

/** tap's types know no partial errors with own fields. */
function fails (t: Test, document: Buffer, codeName: string, title = codeName): void {
  try {
    validate(document, maxDepth)
    t.fail(title)
  } catch (error) {
    t.match(error, { codeName }, title)
  }
}

t.test('fields keep their bytes', async t => {
  const id = new ObjectId()
  const document = Buffer.from(serialize({ _id: id, näme: 'x' }))
  t.match(fieldsOf(document), [{ name: '_id', type: types.objectId }, { name: 'näme', type: types.string }])
  t.same(fieldsOf(document)[0]?.value, Buffer.from(id.id))
  t.same(append(serialize({ a: 1 }), types.object, 'b', serialize({ c: 2 })), Buffer.from(serialize({ a: 1, b: { c: 2 } })))
})

t.test('a document that every client can read passes', async t => {
  const document = serialize({ _id: new ObjectId(), s: '', b: true, f: false, d: new Date(), bytes: Buffer.alloc(3), a: [1, 2.5, null], r: /x/i, code: new Code('x'), ref: new DBRef('c', new ObjectId()) })
  t.doesNotThrow(() => validate(Buffer.from(document), maxDepth))
})

t.test('100 levels pass and one more is an Overflow, found before the stack ends', async t => {
  t.doesNotThrow(() => validate(nested(100, inner => ({ a: inner })), maxDepth))
  fails(t, nested(101, inner => ({ a: inner })), 'Overflow')
  fails(t, nested(51, inner => ({ a: [inner] })), 'Overflow')
  let deep = Buffer.from([5, 0, 0, 0, 0])
  const shell = Buffer.from([0, 0, 0, 0, 3, 0x61, 0])
  const levels = 100_000
  deep = Buffer.concat([...Array.from({ length: levels }, (_, index) => {
    const head = Buffer.from(shell)
    head.writeInt32LE(5 + (levels - index) * 8)
    return head
  }), deep, Buffer.alloc(levels)])
  fails(t, deep, 'Overflow')
})

t.test('bytes that a client could not read back are refused', async t => {
  const string = [int32(2), Buffer.from('a\0')]
  const cases: Record<string, Buffer> = {
    'too short': Buffer.alloc(4),
    'a length that is not its own': Buffer.concat([int32(6), Buffer.from([0])]),
    'no end': Buffer.from([5, 0, 0, 0, 1]),
    'an unknown type': withValue(0x20, Buffer.alloc(4)),
    'a value over the end': withValue(types.double, Buffer.alloc(3)),
    'a binary over the end': withValue(types.binary, int32(4), Buffer.alloc(4)),
    'a binary without its length': withValue(types.binary, Buffer.alloc(2)),
    'a string over the end': withValue(types.string, int32(9), Buffer.from('a\0')),
    'a boolean without a value': withValue(types.boolean),
    'an expression without its options': withValue(types.regex, Buffer.from('x\0y')),
    'a name without an end': Buffer.concat([int32(7), Buffer.from([types.null, 0x61, 0])]),
    'a negative length': withValue(types.string, int32(-1), Buffer.alloc(1)),
    'an empty string value': withValue(types.string, int32(0)),
    'a string without an end': withValue(types.string, int32(2), Buffer.from('ab')),
    'a symbol without an end': withValue(types.symbol, int32(2), Buffer.from('ab')),
    'code without an end': withValue(types.code, int32(2), Buffer.from('ab')),
    'a boolean of 2': withValue(types.boolean, Buffer.from([2])),
    'an embedded document of length 0': withValue(types.object, int32(0)),
    'an embedded document that is not whole': withValue(types.object, int32(12), Buffer.from([types.boolean, 0x61, 0, 1, 0, 0, 0, 0])),
    'JavaScript with scope': withValue(types.codeWithScope, int32(15), ...string, int32(5), Buffer.alloc(1)),
    DBPointer: withValue(types.dbPointer, ...string, Buffer.alloc(12)),
    'trailing bytes': Buffer.concat([int32(7), Buffer.alloc(3)])
  }
  for (const [title, bytes] of Object.entries(cases)) fails(t, bytes, 'InvalidBSON', title)
})
