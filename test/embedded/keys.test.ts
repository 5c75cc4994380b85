import { Binary, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, BSONSymbol, Timestamp, serialize } from 'bson'
import t from 'tap'
import { fieldsOf, types } from '../../embedded/bson.js'
import { afterPrefix, collectionPrefix, documentKey } from '../../embedded/keys.js'

const prefix = collectionPrefix('college.students')

function key (value: unknown): Buffer {
  const [field] = fieldsOf(Buffer.from(serialize({ _id: value })))
  if (field === undefined) throw new Error('no field')
  return documentKey(prefix, field)
}

function decimal (text: string): Decimal128 {
  return Decimal128.fromString(text)
}

t.test('a number has one key whatever its BSON type', async t => {
  const equal: unknown[][] = [
    [new Int32(1), new Double(1), Long.fromNumber(1), decimal('1'), decimal('1.000'), decimal('10E-1')],
    [new Int32(0), new Double(0), new Double(-0), Long.fromNumber(0), decimal('0'), decimal('-0E+3')],
    [new Int32(-120), new Double(-120), Long.fromNumber(-120), decimal('-1.2E+2')],
    [new Double(0.5), decimal('0.5')],
    [new Double(2 ** 53), Long.fromBigInt(2n ** 53n), decimal('9007199254740992')],
    [new Double(NaN), decimal('NaN')],
    [new Double(Infinity), decimal('Infinity')],
    [new Double(-Infinity), decimal('-Infinity')]
  ]
  for (const values of equal) for (const value of values) t.same(key(value), key(values[0]), String(value))
})

t.test('numbers that differ by less than a double shows have different keys', async t => {
  t.notSame(key(new Double(2 ** 53)), key(Long.fromBigInt(2n ** 53n + 1n)))
  t.notSame(key(new Double(0.1)), key(decimal('0.1')))
})

t.test("keys stand in MongoDB's order, within a type and across types", async t => {
  const ascending = [
    new MinKey(), null,
    new Double(NaN), new Double(-Infinity), new Double(-1e300), Long.MIN_VALUE, new Int32(-10), new Double(-9.5), new Int32(-9), new Double(-0.001),
    0, new Double(5e-324), new Double(0.001), new Double(0.1), decimal('0.11'), 1, new Double(1.5), 2, 10, 11, 100, Long.MAX_VALUE, new Double(1e300),
    decimal('1E+6000'), new Double(Infinity),
    '', '\0', 'a', 'a\0', 'a\0b', 'aa', 'b', 'userprofile::x', 'é',
    {}, { a: 1 }, { a: 2 }, { b: 1 }, { a: 'x' },
    [1], [1, 2], [2],
    new Binary(Buffer.alloc(0)), new Binary(Buffer.from([9])), new Binary(Buffer.from([1, 1])), new Binary(Buffer.from([1, 1]), 4),
    new ObjectId('000000000000000000000001'), new ObjectId('ff0000000000000000000000'),
    false, true,
    new Date(-1), new Date(0), new Date(1e12),
    new Timestamp({ t: 1, i: 1 }), new Timestamp({ t: 0x80000000, i: 1 }),
    /a/, new Code('a'), new MaxKey()
  ]
  const keys = ascending.map(key)
  for (const [index, one] of keys.slice(1).entries()) t.ok(Buffer.compare(keys[index] ?? one, one) < 0, `${index} < ${index + 1}`)
  t.same(key(new BSONSymbol('a')), key('a'), 'a symbol is a string')
  t.ok(documentKey(prefix, { name: '_id', type: types.undefined, value: Buffer.alloc(0) }).length > 0, 'undefined can be asked for')
})

t.test('every key lies between the prefix of its collection and the end of it', async t => {
  for (const value of [new MinKey(), new MaxKey(), 'x']) {
    t.ok(Buffer.compare(prefix, key(value)) < 0 && Buffer.compare(key(value), afterPrefix(prefix)) < 0)
  }
  t.ok(Buffer.compare(afterPrefix(prefix), collectionPrefix('college.students2')) < 0)
})

t.test('keys too long for LMDB are cut and still differ', async t => {
  const long = 'x'.repeat(5000)
  t.equal(key(long + 'a').length, 1978)
  t.notSame(key(long + 'a'), key(long + 'b'))
  t.same(key(long + 'a'), key(long + 'a'))
})
