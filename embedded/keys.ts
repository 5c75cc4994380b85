import { createHash } from 'node:crypto'
import { Decimal128 } from 'bson'
import { types, fieldsOf, type Field } from './bson.js'

/** LMDB's limit for a key at pages of 4 kB. */
const maxKeyBytes = 1978
/** What is left of a key that is too long, before the hash that it ends in. */
export const cutKeyBytes = maxKeyBytes - 32

/** MongoDB's order of types (reference/bson-type-comparison-order); types of one rank compare by value. */
const ranks = new Map<number, number>([
  [types.minKey, 1], [types.undefined, 2], [types.null, 3],
  [types.double, 4], [types.int32, 4], [types.int64, 4], [types.decimal128, 4],
  [types.string, 5], [types.symbol, 5], [types.object, 6], [types.array, 7], [types.binary, 8], [types.objectId, 9],
  [types.boolean, 10], [types.date, 11], [types.timestamp, 12], [types.regex, 13], [types.code, 14], [types.maxKey, 15]
])

const numberRank = 4

/** Every key of a collection begins with this; no name holds a zero byte. */
export function collectionPrefix (namespace: string): Buffer {
  return Buffer.from(`${namespace}\0`)
}

/** What the keys of the index at this place of its collection's list begin with. */
export function indexPrefix (prefix: Buffer, place: number): Buffer {
  return Buffer.concat([prefix, Buffer.of(place)])
}

/** The first key after all those that begin with `prefix`, which ends in a zero byte or a dot. */
export function afterPrefix (prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1)
  return end
}

/** A key of the store in words: the namespace, and what identifies a document in it where that is readable. */
export function shownKey (key: Buffer): string {
  const end = key.indexOf(0)
  const namespace = key.toString('utf8', 0, end < 0 ? key.length : end)
  if (end < 0) return namespace
  const [rank, content] = [key[end + 1], key.subarray(end + 2)]
  if (rank === ranks.get(types.objectId)) return `ObjectId('${content.toString('hex')}') of ${namespace}`
  if (rank === ranks.get(types.string)) return `'${content.toString('utf8', 0, content.length - 2)}' of ${namespace}`
  return `with the key ${key.toString('hex', end + 1)} of ${namespace}`
}

/**
 * The key of a document: equal for all `_id`s that MongoDB takes for equal (1, 1.0 and NumberLong(1)), and in MongoDB's order.
 * One too long for LMDB is cut and ends in the SHA-256 of the whole, so that two of them differ; their order then holds up to the cut.
 */
export function documentKey (prefix: Buffer, id: Field): Buffer {
  return fittedKey(Buffer.concat([prefix, idKey(id)]))
}

export function fittedKey (key: Buffer): Buffer {
  if (key.length < maxKeyBytes) return key
  const hash = createHash('sha256').update(key).digest()
  return Buffer.concat([key.subarray(0, cutKeyBytes), hash])
}

/** Where a type stands in MongoDB's order of types; numbers have one place, and so have strings and symbols. */
export function rankOf (type: number): number {
  // Types without a rank do not pass `validate`.
  return Number(ranks.get(type))
}

/**
 * A value in bytes that compare as MongoDB compares values, and none of which begins another: its rank, then what it holds. Of a number, unlike in the key of
 * a document, the double that it is, or else the next one below and then the number itself, so that doubles stay short.
 */
export function valueKey (field: Field): Buffer {
  if (rankOf(field.type) !== numberRank) return idKey(field)
  const double = nearestDouble(field)
  if (isDouble(field, double)) return doubleKey(double)
  const exact = encodeContent(field)
  const order = Buffer.compare(encodeDouble(double), exact)
  if (order === 0) return doubleKey(double)
  const key = doubleKey(double).fill(1, 9)
  if (order > 0) key.writeBigUInt64BE(key.readBigUInt64BE(1) - 1n, 1)
  return Buffer.concat([key, exact])
}

function nearestDouble ({ type, value }: Field): number {
  if (type === types.double) return value.readDoubleLE()
  if (type === types.int32) return value.readInt32LE()
  return Number(type === types.int64 ? value.readBigInt64LE() : new Decimal128(value).toString())
}

/** Whether it is seen without more that the number is this double. */
function isDouble ({ type }: Field, double: number): boolean {
  return type === types.double || type === types.int32 || (type === types.int64 && Number.isSafeInteger(double))
}

/** The rank, a double's bits so that they stand in order, NaN before all others, and a zero. */
function doubleKey (double: number): Buffer {
  const key = Buffer.alloc(10)
  key[0] = numberRank
  if (Number.isNaN(double)) return key
  // 0 and -0 are one number
  key.writeDoubleBE(double === 0 ? 0 : double, 1)
  const isNegative = double < 0
  for (let at = 1; at <= (isNegative ? 8 : 1); at++) key[at] = Number(key[at]) ^ (isNegative ? 0xff : 0x80)
  return key
}

/** A value as an `_id` has it in the key of its document, uncut: its rank, then what it holds, numbers as decimals. */
export function idKey (field: Field): Buffer {
  const rank = Buffer.from([rankOf(field.type)])
  return Buffer.concat([rank, encodeContent(field)])
}

function encodeContent ({ type, value }: Field): Buffer {
  switch (type) {
    case types.double:
      return encodeDouble(value.readDoubleLE())
    case types.int32:
      return encodeDecimal(BigInt(value.readInt32LE()), 0)
    case types.int64:
      return encodeDecimal(value.readBigInt64LE(), 0)
    case types.decimal128:
      return encodeDecimal128(value)
    case types.string:
    case types.symbol:
    case types.code:
      return encodeText(value.subarray(4, -1))
    case types.object:
    case types.array:
      return encodeFields(fieldsOf(value))
    case types.date:
    case types.timestamp:
      return encodeInt64(value, type === types.date)
    case types.binary:
      return encodeBinary(value)
    default:
      return value
  }
}

/** Zero bytes are escaped and the end is marked, so that a text sorts before its own continuations, in a nested document too. */
function encodeText (bytes: Buffer): Buffer {
  const escaped = bytes.includes(0) ? Buffer.from(bytes.toString('latin1').replaceAll('\0', '\0\xff'), 'latin1') : bytes
  return Buffer.concat([escaped, Buffer.alloc(2)])
}

/** MongoDB compares documents field by field: type, then name, then value. */
function encodeFields (fields: Field[]): Buffer {
  const parts = fields.flatMap(field => {
    const value = idKey(field)
    return [value.subarray(0, 1), Buffer.from(`${field.name}\0`), value.subarray(1)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1)])
}

/** The value of a BSON date, in bytes that stand in the order of time. */
export function dateKey (value: Buffer): Buffer {
  return encodeInt64(value, true)
}

/** Dates are signed, timestamps are not; flipping the sign bit puts signed ones in order. */
function encodeInt64 (value: Buffer, signed: boolean): Buffer {
  const encoded = Buffer.alloc(8)
  encoded.writeBigUInt64BE(value.readBigUInt64LE() ^ (signed ? 1n << 63n : 0n))
  return encoded
}

/** By length, then subtype, then bytes. */
function encodeBinary (value: Buffer): Buffer {
  const encoded = Buffer.from(value)
  encoded.writeInt32BE(value.readInt32LE())
  return encoded
}

const notANumber = Buffer.from([0])
const minusInfinity = Buffer.from([1])
const zero = Buffer.from([3])
const infinity = Buffer.from([5])

/** A double is a whole number times a power of two, so it has an exact decimal form: m * 2^-e = m * 5^e * 10^-e. */
function encodeDouble (value: number): Buffer {
  if (Number.isNaN(value)) return notANumber
  if (!Number.isFinite(value)) return value < 0 ? minusInfinity : infinity
  let scale = 0
  while (!Number.isInteger(value)) {
    value *= 2
    scale++
  }
  return encodeDecimal(BigInt(value) * 5n ** BigInt(scale), -scale)
}

function encodeDecimal128 (value: Buffer): Buffer {
  // The type gives no numbers but its text: digits, maybe a point, maybe an exponent (or NaN, Infinity, -Infinity).
  const written = new Decimal128(value).toString()
  const match = /^(-?)(\d+)\.?(\d*)(?:E([+-]?\d+))?$/.exec(written)
  if (match === null) return encodeDouble(Number(written))
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  return encodeDecimal(BigInt(sign + whole + fraction), Number(exponent) - fraction.length)
}

/** digits * 10^exponent as sign, place of the first digit, digits without trailing zeros; a negative number's bytes are inverted. */
function encodeDecimal (digits: bigint, exponent: number): Buffer {
  if (digits === 0n) return zero
  const negative = digits < 0n
  const written = (negative ? -digits : digits).toString()
  const place = Buffer.alloc(2)
  place.writeUInt16BE(written.length + exponent + 0x8000)
  const magnitude = Buffer.concat([place, Buffer.from(`${written.replace(/0+$/, '')}\0`)])
  if (negative) magnitude.forEach((byte, index) => magnitude.writeUInt8(0xff - byte, index))
  return Buffer.concat([Buffer.from([negative ? 2 : 4]), magnitude])
}
