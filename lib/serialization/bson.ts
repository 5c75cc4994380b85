import { deserialize, onDemand, type Document } from 'bson'

/** The types of BSON (bsonspec.org, version 1.1) that are told apart here, by the byte that stands for them. */
export const bsonTypes = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binary: 5,
  objectId: 7,
  boolean: 8,
  date: 9,
  null: 10,
  code: 13,
  symbol: 14,
  codeWithScope: 15,
  int32: 16,
  int64: 18,
  decimal128: 19
} as const

/** Where an element of a document lies in its bytes; `offset` and `length` are those of the value. */
export type BsonElement = [type: number, nameOffset: number, nameLength: number, offset: number, length: number]

/** Bytes that are no BSON document. */
export class CorruptBsonError extends Error {
  override name = 'CorruptBsonError'

  constructor (cause?: unknown) {
    super('a stored document is not well-formed BSON', { cause })
  }
}

/** The document as an object. Text that is not well-formed, or an expression that JavaScript lacks, is no reason to fail. */
export function decode (bson: Buffer): Document {
  return deserialize(bson, { validation: { utf8: false }, bsonRegExp: true })
}

/**
 * The elements of a document. Documents inside it are checked too, so that what is answered of corrupt bytes is an error.
 * Throws CorruptBsonError.
 */
export function elementsOf (bson: Buffer): BsonElement[] {
  try {
    if (bson.readInt32LE() === bson.length) return checkedElements(bson, 0)
  } catch (cause) {
    throw new CorruptBsonError(cause)
  }
  throw new CorruptBsonError()
}

/** Whether the element has this name, without making a string of it. */
export function isNamed (bson: Buffer, [, nameOffset, nameLength]: BsonElement, name: Buffer): boolean {
  if (nameLength !== name.length) return false
  for (let i = 0; i < nameLength; i++) if (bson[nameOffset + i] !== name[i]) return false
  return true
}

export function nameOf (bson: Buffer, [, nameOffset, nameLength]: BsonElement): string {
  return bson.toString('utf8', nameOffset, nameOffset + nameLength)
}

function checkedElements (bson: Buffer, start: number): BsonElement[] {
  if (bson.readInt32LE(start) < 5) throw new RangeError(`no document at byte ${start}`)
  const elements = Array.from(onDemand.parseToElements(bson, start)) // which looks into no value
  for (const element of elements) if (!isSound(bson, element)) throw new RangeError(`no value at byte ${element[3]}`)
  return elements
}

function isSound (bson: Buffer, [type, , , offset, length]: BsonElement): boolean {
  switch (type) {
    case bsonTypes.string:
    case bsonTypes.symbol:
    case bsonTypes.code:
      return length > 4 && bson[offset + length - 1] === 0
    case bsonTypes.binary: // whose old subtype 2 holds its length twice
      return bson[offset + 4] !== 2 || bson.readInt32LE(offset + 5) === length - 9
    case bsonTypes.boolean:
      return bson.readUInt8(offset) <= 1
    case bsonTypes.object:
    case bsonTypes.array:
      return checkedElements(bson, offset) !== undefined
    case bsonTypes.codeWithScope:
      return isSoundCode(bson, offset, length)
    default:
      return true
  }
}

/** Its length, a string and a document. */
function isSoundCode (bson: Buffer, offset: number, length: number): boolean {
  const scope = offset + 8 + bson.readInt32LE(offset + 4)
  checkedElements(bson, scope)
  return scope > offset + 8 && bson[scope - 1] === 0 && scope + bson.readInt32LE(scope) === offset + length
}
