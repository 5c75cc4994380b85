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

/** How many bytes values of these types have; of the others that depends on the value. */
const fixedLengths: readonly (number | undefined)[] = (() => {
  const lengths: number[] = []
  lengths[bsonTypes.double] = lengths[bsonTypes.int64] = lengths[bsonTypes.date] = 8
  lengths[bsonTypes.objectId] = 12
  lengths[bsonTypes.int32] = 4
  lengths[bsonTypes.decimal128] = 16
  return lengths
})()

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

/**
 * Finds the elements of a document that has no others than these, in this order, and of types that have no documents inside; it may lack some.
 * Answers false for any other one, which `elementsOf` takes.
 * @param places where to write down each element, by the place of its name
 * @param found gets those that are there, each at the place of its name
 */
export function locateInOrder (bson: Buffer, names: readonly Buffer[], places: readonly BsonElement[], found: (BsonElement | undefined)[]): boolean {
  const end = bson.length - 1
  if (end < 4 || bson.readInt32LE() !== bson.length || bson[end] !== 0) return false
  let at = 4
  for (let index = 0; index < names.length && at < end; index++) {
    const name = names[index] as Buffer // below the length
    if (!isAt(bson, at + 1, name)) continue
    const type = bson[at] as number // before the end
    const offset = at + name.length + 2
    const length = lengthOf(bson, type, offset, end)
    if (length === undefined) return false
    const place = places[index] as BsonElement // there is one for each name
    place[0] = type
    place[1] = at + 1
    place[2] = name.length
    place[3] = offset
    place[4] = length
    found[index] = place
    at = offset + length
  }
  return at === end
}

/** Whether the name stands there, with its end. */
function isAt (bson: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bson[start + i] !== name[i]) return false
  return bson[start + name.length] === 0
}

/** The length of a value that lies before `end`; undefined for one that does not, or whose type is another. */
function lengthOf (bson: Buffer, type: number, offset: number, end: number): number | undefined {
  const length = type === bsonTypes.string && offset + 4 < end ? bson.readInt32LE(offset) + 4 : fixedLengths[type]
  if (length === undefined || length < 1 || offset + length > end) return undefined
  if (type === bsonTypes.string && (length < 5 || bson[offset + length - 1] !== 0)) return undefined
  return length
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
