import { Double, type ObjectId } from 'mongodb'
import { bsonTypes, elementsOf, isNamed, nameOf, type BsonElement } from '../serialization/bson.js'
import { numberAt } from '../serialization/bson-json.js'
import { RawDocument } from '../serialization/raw-document.js'
import { ObjectIdHex } from '../../schemas/common.js'
import type { Student } from '../../schemas/student.js'
import type { StudentFields } from './student-fields.js'

type StoredFields<T extends Partial<StudentFields>> = Omit<T, 'gpa'> & { gpa?: Double }

/** The fields as BSON: gpa is always a double, also when it is a whole number, which the driver would store as int32. */
export function toStored<T extends Partial<StudentFields>> ({ gpa, ...fields }: T): StoredFields<T> {
  return gpa === undefined ? fields : { ...fields, gpa: new Double(gpa) }
}

/** A whole student as it is stored. Code of the tutorial's older versions made ids of another type. */
export type StudentDocument = { _id: ObjectId | string } & StoredFields<StudentFields>

/** What is read of a stored student; whatever else it holds stays in the database. */
export const STORED_FIELDS = { _id: 1, name: 1, email: 1, course: 1, gpa: 1 } as const

const FIELD_NAMES = Object.keys(STORED_FIELDS).map((name) => Buffer.from(name))

/** The id of a stored student, as it is shown. */
export interface StoredId {
  text: string
  isObjectId: boolean
}

/** `_id` as the first element, with its type: that of the driver, the embedded store and MongoDB itself. */
const OBJECT_ID_FIRST = Buffer.from('\x07_id\0')
const FIRST_ELEMENT = 4

const HEX_ID = new RegExp(String(ObjectIdHex.pattern))

/** The id of a stored student; undefined if it has none that can stand in a path. Throws CorruptBsonError. */
export function idOf (bson: Buffer): StoredId | undefined {
  const value = FIRST_ELEMENT + OBJECT_ID_FIRST.length
  if (OBJECT_ID_FIRST.every((byte, place) => bson[FIRST_ELEMENT + place] === byte)) {
    return { text: bson.toString('hex', value, value + 12), isObjectId: true }
  }
  const id = elementsOf(bson).find((element) => nameOf(bson, element) === '_id')
  return id && toId(bson, id)
}

/**
 * Those of the documents that a list shows: what it shows can be asked for by its id. So an id of another type, or text that
 * is no 24 hexadecimal digits, is left out, and so is text that is the id of another one of them, which wins.
 */
export function listable (documents: Buffer[]): Buffer[] {
  const ids = documents.map(idOf)
  if (ids.every((id) => id?.isObjectId)) return documents
  const objectIds = new Set(ids.map((id) => id?.isObjectId && id.text))
  return documents.filter((_, index) => {
    const id = ids[index]
    return id && (id.isObjectId || !objectIds.has(id.text.toLowerCase()))
  })
}

function toId (bson: Buffer, element: BsonElement): StoredId | undefined {
  const [type, , , offset, length] = element
  if (type === bsonTypes.objectId) return { text: bson.toString('hex', offset, offset + length), isObjectId: true }
  const text = textAt(bson, element)
  return text !== undefined && HEX_ID.test(text) ? { text, isObjectId: false } : undefined
}

/** A stored student, with its bytes behind it. */
export function toRawStudent (bson: Buffer): Student {
  const elements = elementsOf(bson)
  return RawDocument.behind(toStudent(bson, elements), { bson, elements })
}

/**
 * The student that a stored document shows. Other software may have written it: a field whose stored type is not the
 * schema's, or a number that is not finite, is left out; of a field that occurs twice the last one counts.
 */
export function toStudent (bson: Buffer, elements = elementsOf(bson)): Student {
  const found: (BsonElement | undefined)[] = []
  for (const element of elements) found[FIELD_NAMES.findIndex((name) => isNamed(bson, element, name))] = element
  const [id, name, email, course, gpa] = found
  return withoutUndefined({
    id: String(id && toId(bson, id)?.text),
    name: name && textAt(bson, name),
    email: email && textAt(bson, email),
    course: course && textAt(bson, course),
    gpa: gpa && finiteAt(bson, gpa)
  })
}

function textAt (bson: Buffer, [type, , , offset, length]: BsonElement): string | undefined {
  if (type !== bsonTypes.string && type !== bsonTypes.symbol) return undefined
  return bson.toString('utf8', offset + 4, offset + length - 1)
}

function finiteAt (bson: Buffer, element: BsonElement): number | undefined {
  const number = numberAt(bson, element)
  return Number.isFinite(number) ? number : undefined
}

/** JSON has no undefined, so no copy of the student should show one. */
function withoutUndefined<T extends object> (object: T): T {
  for (const key in object) if (object[key] === undefined) delete object[key]
  return object
}
