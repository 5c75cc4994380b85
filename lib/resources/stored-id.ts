import { bsonTypes, elementsOf, nameOf, type BsonElement } from '../serialization/bson.js'
import { textAt } from '../serialization/bson-values.js'
import { ObjectIdHex } from '../../schemas/common.js'

/** The id of a stored document, as it is shown. */
export interface StoredId {
  text: string
  isObjectId: boolean
}

/** `_id` as the first element, with its type: that of the driver, the embedded store and MongoDB itself. */
const OBJECT_ID_FIRST = Buffer.from('\x07_id\0')
const FIRST_ELEMENT = 4

const HEX_ID = new RegExp(String(ObjectIdHex.pattern))

/** The id of a stored document; undefined if it has none that can stand in a path. Throws CorruptBsonError. */
export function idOf (bson: Buffer): StoredId | undefined {
  const value = FIRST_ELEMENT + OBJECT_ID_FIRST.length
  if (OBJECT_ID_FIRST.every((byte, place) => bson[FIRST_ELEMENT + place] === byte)) {
    return { text: bson.toString('hex', value, value + 12), isObjectId: true }
  }
  const id = elementsOf(bson).find((element) => nameOf(bson, element) === '_id')
  return id && toId(bson, id)
}

function toId (bson: Buffer, element: BsonElement): StoredId | undefined {
  const [type, , , offset, length] = element
  if (type === bsonTypes.objectId) return { text: bson.toString('hex', offset, offset + length), isObjectId: true }
  const text = textAt(bson, element)
  return text !== undefined && HEX_ID.test(text) ? { text, isObjectId: false } : undefined
}
