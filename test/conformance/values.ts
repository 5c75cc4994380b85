import { faker } from '@faker-js/faker'
import { Binary, BSONRegExp, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, type Document } from 'mongodb'

/** One of a list, by the seed. */
export function one<T> (values: readonly T[]): T {
  return faker.helpers.arrayElement(values)
}

/** Some of a list, in any order. */
export function some<T> (values: readonly T[], min: number, max: number): T[] {
  return faker.helpers.arrayElements(values, { min, max })
}

export function chance (probability: number): boolean {
  return faker.datatype.boolean(probability)
}

export function upTo (max: number): number {
  return faker.number.int(max)
}

/** Numbers that meet each other: equal ones of other types, neighbours, the ends of a type. */
const numbers = [
  new Int32(0), new Int32(1), new Int32(-7), new Int32(2 ** 31 - 1), new Int32(-(2 ** 31)),
  new Double(0), new Double(-0), new Double(1), new Double(1.5), new Double(-7), new Double(2 ** 53), new Double(1e300), new Double(NaN), new Double(Infinity),
  new Double(-Infinity), new Double(0.1),
  Long.fromNumber(0), Long.fromNumber(1), Long.fromNumber(2 ** 31), Long.MAX_VALUE, Long.MIN_VALUE, Long.fromBigInt(2n ** 53n + 1n)
]

/** None is a decimal that no double is, yet near one: SecantusDB takes 0.1 and the double 0.1 for equal, which `lookalikes` show. */
const decimals = ['0', '1', '1.00', '1.5', '0.25', '-7', '9007199254740993', '1E+6000', 'NaN', 'Infinity', '-Infinity'].map(text => Decimal128.fromString(text))

/** Few, so that filters find something. */
export const texts = ['a', 'b', 'c', 'ab', '', 'é', 'a\0b', '$a']

/** A longer binary is above all shorter ones, also by its bytes: SecantusDB sorts by length, and compares by bytes alone. */
const others = [
  null, true, false, new Date(0), new Date(-1), new Date(Date.UTC(2040, 0, 1)), new ObjectId('0123456789abcdef01234567'), new ObjectId('ff23456789abcdef01234567'),
  new Binary(Buffer.alloc(0)), new Binary(Buffer.from('a')), new Binary(Buffer.from('ab')), new Binary(Buffer.alloc(16, 'z'), 4),
  new Timestamp({ t: 1, i: 2 }), new Timestamp({ t: 0xffffffff, i: 1 }), new MinKey(), new MaxKey()
]

/** Symbols, deprecated, are left out: SecantusDB makes strings of them. */
const storedOnly = [new BSONRegExp('a', 'i'), new Code('x')]

export function number ({ minusZero = true } = {}): unknown {
  return one(minusZero ? numbers : numbers.filter(number => !Object.is(Number(number), -0)))
}

/** Two numbers to add: often whole ones of one type, whose sum may leave it. */
export function summands (): unknown[] {
  const choice = one([numbers, numbers.filter(number => number instanceof Int32), numbers.filter(number => number instanceof Long)])
  return [one(choice), one(choice)]
}

/** Any BSON value that may stand in a field, nested ones included. */
export function value (depth = 2): unknown {
  const kind = upTo(depth > 0 ? 9 : 7)
  if (kind < 3) return one(texts)
  if (kind < 5) return number()
  if (kind === 5) return one(decimals)
  if (kind === 6) return one(others)
  if (kind === 7) return one(storedOnly)
  if (kind === 8) return Array.from({ length: upTo(3) }, () => value(depth - 1))
  return Object.fromEntries(some(['a', 'b', 'name'], 0, 3).map(name => [name, value(depth - 1)]))
}

/** `_id`s that look alike; of some pairs both are one, of others they are two. */
export const lookalikes = [
  new Double(0.1), Decimal128.fromString('0.1'), new Double(1), new Int32(1), Long.fromNumber(1), Decimal128.fromString('1.0'), '1', new Double(NaN), Decimal128.fromString('NaN'),
  { a: new Int32(1) }, { a: new Double(1) }, { b: 1, a: 1 }, { a: 1, b: 1 }, new Binary(Buffer.from('a')), new Binary(Buffer.from('a'), 128), 'a', new Date(1), new Timestamp({ t: 0, i: 1 }),
  Long.fromBigInt(2n ** 53n + 1n), new Double(2 ** 53), '', null, {}
]

/** The `_id`s of a run: of all types that may be one, and as few as make inserts and filters meet. No NaN: SecantusDB can't update what has it. */
export const ids = [
  ...[0, 1, 5, 7, 8, 15, 16, 19, 21].map(place => numbers[place]),
  ...decimals.slice(1, 4),
  decimals[5],
  ...texts.slice(0, 4),
  ...others.slice(0, 13),
  {}, { a: new Int32(1) }, { a: new Int32(1), b: 'x' }, { b: 'x', a: new Int32(1) }, { a: [new Int32(1), null] },
  'x'.repeat(200)
]

export function id (): unknown {
  return one(ids)
}

const fieldNames = ['name', 'type', 'n', 'tags', 'extra', 'ünï']

export function fieldName (): string {
  return one(fieldNames)
}

export function fields (max = 4): Document {
  return Object.fromEntries(some(fieldNames, 0, max).map(name => [name, name === 'tags' ? tags() : value()]))
}

/** A document of the collections that the cases share. */
export function document (): Document {
  return { _id: id(), ...fields() }
}

function tags (): unknown[] {
  return Array.from({ length: upTo(3) }, () => chance(0.7) ? one(texts) : value(1))
}
