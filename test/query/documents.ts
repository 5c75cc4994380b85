import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'

/** What other software may have stored in a field, of every type, with many that are equal or near. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'A', 'ab', 'b', 'Zoë', 'a.c', 'a\0', '\u{10ffff}', '漢') },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 2, 3, 4).map((n) => new Double(n)) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 3).map((n) => new Int32(n)) },
  fc.constantFrom(0.1, -0, NaN, Infinity, -Infinity, 2 ** 53).map((n) => new Double(n)),
  fc.constantFrom('1', '9007199254740993', '-5').map((n) => Long.fromString(n)),
  fc.constantFrom('1', '2.50', 'NaN', 'Infinity', '1E+200').map((n) => Decimal128.fromString(n)),
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom(0, 1e12).map((ms) => new Date(ms)),
  fc.constantFrom({}, { a: 1 }, { a: 2 }),
  fc.constantFrom([], ['a'], [1, 'b']),
  fc.constantFrom('66b3f0a1c2d4e5f601234567', '000000000000000000000000').map((hex) => new ObjectId(hex)),
  fc.constantFrom('x', 'y').map((text) => new Binary(Buffer.from(text))),
  fc.constant(new BSONSymbol('a')),
  fc.constant(new BSONRegExp('a')),
  fc.constantFrom('f', 'g').map((code) => new Code(code)),
  fc.constantFrom(1, 2).map((i) => new Timestamp({ t: 1, i })),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey())
)

const id = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)) },
  fc.constantFrom('66b3f0a1c2d4e5f601234567', '66B3F0A1C2D4E5F601234567', '00b3f0a1c2d4e5f601234567', 'no id', ''),
  fc.integer({ min: 0, max: 3 })
)

export type StoredRecord = Record<string, unknown>

/** A document of the collection `students`, with an id of its own; a field may be missing. */
export const record: fc.Arbitrary<StoredRecord> = fc.record({ _id: id, name: value, email: value, course: value, gpa: value }, { requiredKeys: ['_id'] })

/** Documents of which no two share an id. */
export const records = fc.uniqueArray(record, { minLength: 5, maxLength: 40, selector: ({ _id }) => `${typeof _id} ${String(_id)}` })

/** Whether lists have it: by an ObjectId, or by 24 hexadecimal digits that are the ObjectId of no other. */
export function isListed ({ _id }: StoredRecord, documents: StoredRecord[]): boolean {
  if (_id instanceof ObjectId) return true
  return typeof _id === 'string' && /^[0-9a-f]{24}$/i.test(_id) &&
    !documents.some((other) => other._id instanceof ObjectId && String(other._id) === _id.toLowerCase())
}
