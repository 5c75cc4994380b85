import {
  Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp
} from 'bson'
import t from 'tap'
import { compileDocument } from '../../../lib/serialization/bson-json.js'
import { JsonBytes } from '../../../lib/serialization/json-bytes.js'
import type { JsonSchema } from '../../../lib/serialization/json-schema.js'

/** A value of each type that BSON has. */
const samples: Record<string, unknown> = {
  double: new Double(7.5),
  string: 'text',
  object: { a: 1 },
  array: [1],
  binary: new Binary(Buffer.from('x')),
  oldBinary: new Binary(Buffer.from('x'), 2),
  objectId: new ObjectId('66b3f0a1c2d4e5f601234567'),
  boolean: true,
  date: new Date(7),
  null: null,
  regex: new BSONRegExp('(?i)a', 'i'),
  code: new Code('f'),
  symbol: new BSONSymbol('text'),
  codeWithScope: new Code('f', { a: 1 }),
  int32: new Int32(-7),
  timestamp: new Timestamp({ t: 1, i: 2 }),
  int64: Long.fromNumber(7),
  decimal128: Decimal128.fromString('7.0'),
  minKey: new MinKey(),
  maxKey: new MaxKey()
}

const json = new JsonBytes()

/** The JSON of a document by a schema with these properties, which is also that of the object that it reads. */
function show (properties: Record<string, JsonSchema>, document: object, required: string[] = []): string {
  const reader = compileDocument({ type: 'object', properties, required })
  if (!reader) throw new Error('not compiled')
  json.clear()
  const bson = document instanceof Buffer ? document : Buffer.from(serialize(document))
  reader.write(bson, json)
  const text = String(json.take())
  t.equal(JSON.stringify(reader.read(bson)), text, 'the object says the same')
  return text
}

for (const [schema, fitting] of [
  [{ type: 'string' }, { string: '"text"', symbol: '"text"' }],
  [{ type: ['string', 'null'] }, { string: '"text"', symbol: '"text"', null: 'null' }],
  [{ type: 'string', format: 'date-time' }, { date: '"1970-01-01T00:00:00.007Z"' }],
  [{ type: 'number' }, { double: '7.5', int32: '-7', int64: '7', decimal128: '7' }],
  [{ type: 'integer' }, { int32: '-7', int64: '7', decimal128: '7' }],
  [{ type: 'string', enum: ['other', 'text'] }, { string: '"text"', symbol: '"text"' }],
  [{ type: ['integer', 'null'], enum: [7, null] }, { int64: '7', decimal128: '7', null: 'null' }],
  [{ type: 'string', enum: ['other'] }, {}],
  [{ type: 'boolean' }, { boolean: 'true' }],
  [{ type: ['boolean', 'null'] }, { boolean: 'true', null: 'null' }]
] as [JsonSchema, Record<string, string>][]) {
  t.test(`what fits ${JSON.stringify(schema)} is shown, and any other type is left out`, async (t) => {
    for (const [type, value] of Object.entries(samples)) {
      const shown = fitting[type]
      t.equal(show({ a: schema, b: { type: 'string' } }, { a: value, b: 'b' }), shown ? `{"a":${shown},"b":"b"}` : '{"b":"b"}', type)
    }
    t.equal(show({ a: schema }, {}), '{}', 'missing')
  })
}

t.test('a required string is whatever is stored, as text', async (t) => {
  const { objectId, string, int32, int64, date } = samples
  for (const value of [objectId, string, int32, int64, date, undefined, null, true]) {
    t.equal(show({ a: { type: 'string' } }, { a: value }, ['a']), JSON.stringify({ a: String(value) }))
  }
  t.throws(() => show({ a: { type: 'number' } }, { a: 'x' }, ['a']), { message: 'a stored document has no "a" that fits' })
})

t.test('a number is written as JSON.stringify writes it, and left out where JSON has none', async (t) => {
  const a = { type: 'number' }
  for (const value of [0, -0, 0.1, -2.5, 1e21, 1e-7, 2 ** 53, 123456.789, Number.MAX_VALUE, Number.MIN_VALUE]) {
    t.equal(show({ a }, { a: new Double(value) }), JSON.stringify({ a: value }))
  }
  for (const value of [Long.MAX_VALUE, Long.MIN_VALUE, Long.fromString('9007199254740993')]) {
    t.equal(show({ a }, { a: value }), JSON.stringify({ a: Number(value.toString()) }))
  }
  for (const value of ['1E+3', '-0', '3.50', '1E-9']) t.equal(show({ a }, { a: Decimal128.fromString(value) }), JSON.stringify({ a: Number(value) }))
  for (const value of [NaN, Infinity, -Infinity]) {
    t.equal(show({ a }, { a: new Double(value) }), '{}')
    t.equal(show({ a }, { a: Decimal128.fromString(String(value)) }), '{}')
  }
})

t.test('a date beyond JavaScript\'s range is left out', async (t) => {
  const document = Buffer.from(serialize({ a: new Date(0) }))
  document.writeBigInt64LE(8_640_000_000_000_001n, 7)
  t.equal(show({ a: { type: 'string', format: 'date-time' } }, document), '{}')
})

t.test('text is escaped as JSON.stringify does it, and stays well-formed whatever is stored', async (t) => {
  const a = { type: 'string' }
  for (const text of ['', '"\\/', '\u0000\b\t\n\f\r\u001f\u007f', 'Zoë', '漢字', '👩🏽‍🎓', '\u2028\u2029', 'x'.repeat(40_000), `${'x'.repeat(40_000)}"é`]) {
    t.equal(show({ a }, { a: text }), JSON.stringify({ a: text }))
  }
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80], [0x61, 0x80, 0x62]]) {
    const document = Buffer.from(serialize({ a: 'x'.repeat(bytes.length) }))
    document.set(bytes, 11)
    const { a: shown } = JSON.parse(show({ a }, document))
    t.equal(shown, new TextDecoder().decode(Buffer.from(bytes)))
    t.ok(shown.isWellFormed() && shown.includes('\ufffd'))
  }
})

t.test('a required value of another kind has to fit', async (t) => {
  for (const schema of [{ type: 'number' }, { type: 'string', enum: ['x'] }, { type: 'string', format: 'date-time' }]) {
    t.throws(() => show({ a: schema }, { a: [] }, ['a']), /has no "a" that fits/)
  }
  t.equal(show({ a: { type: ['string', 'null'] } }, { a: null }, ['a']), '{"a":null}')
})

t.test('a selection shows these fields alone', async (t) => {
  const reader = compileDocument({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } })
  const bson = Buffer.from(serialize({ a: 'x', b: 'y' }))
  json.clear()
  reader?.write(bson, json, new Set(['b']))
  t.equal(json.take(), '{"b":"y"}')
  t.strictSame(reader?.read(bson, new Set(['b'])), { b: 'y' })
})

t.test('fields have the schema\'s order and names; unknown ones are left out, and of a field that stands twice the last one counts', async (t) => {
  const properties = { id: { type: 'string', 'x-bson': '_id' }, name: { type: 'string' }, n: { type: 'number' } }
  t.equal(show(properties, { n: 1, id: 'no', other: { name: 'no' }, nam: 'no', names: 'no', Name: 'no', name: 'yes', _id: 'x' }), '{"id":"x","name":"yes","n":1}')
  const twice = Buffer.concat([Buffer.alloc(4), ...['no', 'yes'].map((name) => Buffer.from(serialize({ name })).subarray(4, -1)), Buffer.alloc(1)])
  twice.writeInt32LE(twice.length)
  t.equal(show(properties, twice), '{"name":"yes"}')
})

t.test('a schema with more in it is not compiled', async (t) => {
  for (const property of [
    { type: 'array', items: { type: 'string' } }, { type: 'object', properties: {} }, { type: 'string', format: 'date' },
    { type: 'number', format: 'date-time' }, { type: ['string', 'number'] }, { anyOf: [{ type: 'string' }] }, { type: 'string', default: 'x' }, {}
  ]) {
    t.equal(compileDocument({ type: 'object', properties: { a: property } }), undefined, JSON.stringify(property))
  }
  const more: JsonSchema[] = [{ type: 'string' }, { type: 'object' }, { type: 'object', properties: { é: { type: 'string' } } }]
  for (const schema of [...more, { type: 'object', properties: {}, allOf: [] }]) {
    t.equal(compileDocument(schema), undefined, JSON.stringify(schema))
  }
})

t.test('bytes that are no document are an error, also in a value that is not shown', async (t) => {
  const whole = Buffer.from(serialize({ a: 'x', b: [true], c: {}, d: new Code('f', { a: 1 }), e: samples.oldBinary }))
  t.equal(show({ a: { type: 'string' } }, whole), '{"a":"x"}')
  /** With another byte, so far after the place where these bytes stand. */
  const changed = (hex: string, after: number, byte: number) => {
    const copy = Buffer.from(whole)
    copy[whole.indexOf(hex, 0, 'hex') + after] = byte
    return copy
  }
  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)], ['no length', Buffer.alloc(5)], ['cut off', whole.subarray(0, -1)], ['too long', Buffer.concat([whole, Buffer.alloc(1)])],
    ['unknown type', changed('026100', 0, 99)], ['string past the end', changed('026100', 3, 200)], ['string without length', changed('026100', 3, 0)],
    ['string without end', changed('7800', 1, 1)], ['neither true nor false', changed('083000', 3, 2)], ['empty object', changed('036300', 3, 0)],
    ['object without end', changed('036300', 7, 1)], ['code without end', changed('6600', 1, 1)], ['scope too short', changed('0c00000010', 0, 11)],
    ['binary of two lengths', changed('0201000000', 1, 2)]
  ] as const) {
    t.throws(() => show({ a: { type: 'string' } }, bytes), { name: 'CorruptBsonError' }, what)
  }
})
