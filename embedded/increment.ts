import { types, type Field } from './bson.js'
import { MongoError } from './errors.js'

const int32Limit = 2n ** 31n
const int64Limit = 2n ** 63n

export function isNumber ({ type }: Field): boolean {
  return isInteger(type) || type === types.double || type === types.decimal128
}

/**
 * A field with a number added, of the wider of the two types: int32, int64, double. A sum that leaves int32 becomes an int64;
 * one that leaves int64 is refused (reference/operator/update/inc).
 */
export function increment (field: Field, by: Field): Field {
  const { name } = field
  if (!isNumber(field)) throw new MongoError('TypeMismatch', `Cannot apply $inc to a value of non-numeric type: the field '${name}'`)
  if (field.type === types.decimal128 || by.type === types.decimal128) {
    throw new MongoError('CommandNotSupported', `The embedded store does not add decimals: '${name}'`)
  }
  if (!isInteger(field.type) || !isInteger(by.type)) return { name, type: types.double, value: doubleBytes(toDouble(field) + toDouble(by)) }
  const sum = toInteger(field) + toInteger(by)
  if (field.type === types.int32 && by.type === types.int32 && isWithin(sum, int32Limit)) return { name, type: types.int32, value: int32Bytes(sum) }
  if (isWithin(sum, int64Limit)) return { name, type: types.int64, value: int64Bytes(sum) }
  throw new MongoError('BadValue', `Failed to apply $inc operations to current value (${toInteger(field)}): the field '${name}'`)
}

function isInteger (type: number): boolean {
  return type === types.int32 || type === types.int64
}

function isWithin (value: bigint, limit: bigint): boolean {
  return value >= -limit && value < limit
}

function toInteger ({ type, value }: Field): bigint {
  return type === types.int32 ? BigInt(value.readInt32LE()) : value.readBigInt64LE()
}

function toDouble (field: Field): number {
  return field.type === types.double ? field.value.readDoubleLE() : Number(toInteger(field))
}

function doubleBytes (value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

function int32Bytes (value: bigint): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(Number(value))
  return bytes
}

function int64Bytes (value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}
