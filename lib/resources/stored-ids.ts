import { ObjectId, UUID } from 'mongodb'
import { bsonTypes, elementsOf, nameOf, type BsonElement } from '../serialization/bson.js'
import { textAt, uuidAt } from '../serialization/bson-values.js'
import { keyOf, objectIds, type Ids } from '../../schemas/ids.js'

/** The id of a stored document, as it is shown. */
export interface StoredId {
  text: string
  /** Whether no other document is shown under it. */
  isSure: boolean
}

/** `_id` as the first element, with its type: that of the driver, the embedded store and MongoDB itself. */
const OBJECT_ID_FIRST = Buffer.from('\x07_id\0')
const FIRST_ELEMENT = 4

/** How the ids of a resource stand in `_id`: as ObjectIds, as UUIDs or as text. */
export class StoredIds {
  /** Whether an ObjectId may also be stored as text, which then gives way to the record that has it as an ObjectId. */
  readonly mayBeText: boolean
  /** The types of BSON that they have there. */
  readonly types: readonly string[]
  #ids: Ids
  #isUuid: boolean
  #pattern: RegExp

  constructor (ids: Ids) {
    this.mayBeText = ids === objectIds
    this.types = this.mayBeText ? ['objectId', 'string'] : [ids.stored === 'uuid' ? 'binData' : 'string']
    this.#ids = ids
    this.#isUuid = ids.stored === 'uuid'
    this.#pattern = new RegExp(ids.pattern, 'u')
  }

  /** An id for a new record. */
  make (): string {
    return this.#ids.of(new ObjectId().toHexString())
  }

  /** What ids have in common that name the same record. */
  key (id: string): string {
    return keyOf(this.#ids, id)
  }

  /** The id as a new record has it. */
  stored (id: string): ObjectId | UUID | string {
    if (this.mayBeText) return new ObjectId(id)
    return this.#isUuid ? new UUID(id) : id
  }

  /** The id of a stored document; undefined if it has none that can stand in a path. Throws CorruptBsonError. */
  of (bson: Buffer): StoredId | undefined {
    const value = FIRST_ELEMENT + OBJECT_ID_FIRST.length
    if (this.mayBeText && OBJECT_ID_FIRST.every((byte, place) => bson[FIRST_ELEMENT + place] === byte)) {
      return { text: bson.toString('hex', value, value + 12), isSure: true }
    }
    const id = elementsOf(bson).find((element) => nameOf(bson, element) === '_id')
    return id && this.#toId(bson, id)
  }

  #toId (bson: Buffer, element: BsonElement): StoredId | undefined {
    const [type, , , offset, length] = element
    if (type === bsonTypes.objectId) return this.mayBeText ? { text: bson.toString('hex', offset, offset + length), isSure: true } : undefined
    const text = this.#isUuid ? uuidAt(bson, element) : textAt(bson, element)
    return text !== undefined && this.#pattern.test(text) ? { text, isSure: !this.mayBeText } : undefined
  }
}
