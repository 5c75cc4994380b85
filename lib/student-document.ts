import { Double, type Document, type ObjectId } from 'mongodb'
import { decode } from './bson.js'
import { RawDocument } from './raw-document.js'
import type { Student } from '../schemas/student.js'
import type { StudentFields } from './student-fields.js'

type StoredFields<T extends Partial<StudentFields>> = Omit<T, 'gpa'> & { gpa?: Double }

/** The fields as BSON: gpa is always a double, also when it is a whole number, which the driver would store as int32. */
export function toStored<T extends Partial<StudentFields>> ({ gpa, ...fields }: T): StoredFields<T> {
  return gpa === undefined ? fields : { ...fields, gpa: new Double(gpa) }
}

/** A whole student as it is stored. */
export type StudentDocument = { _id: ObjectId } & StoredFields<StudentFields>

/** A stored student that is decoded only when a field is asked for; its JSON is written without that. */
export class RawStudent extends RawDocument implements Student {
  #decoded: Student | undefined

  get id () { return this.#student.id }
  get name () { return this.#student.name }
  get email () { return this.#student.email }
  get course () { return this.#student.course }
  get gpa () { return this.#student.gpa }

  get #student (): Student {
    this.#decoded ??= toStudent(decode(this.bson))
    return this.#decoded
  }
}

/**
 * The student that a stored document shows. Other software may have written it: a field whose stored type is not the
 * schema's, or a number that is not finite, is left out.
 */
export function toStudent ({ _id, name, email, course, gpa }: Document): Student {
  return {
    id: String(_id),
    name: toText(name),
    email: toText(email),
    course: toText(course),
    gpa: toFinite(gpa)
  }
}

function toText (value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** int32, double and most int64 arrive as numbers; an int64 beyond 2^53 and Decimal128 as objects of the driver. */
function toFinite (value: unknown): number | undefined {
  const number = typeof value === 'number' || isBsonNumber(value) ? Number(value) : NaN
  return Number.isFinite(number) ? number : undefined
}

function isBsonNumber (value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return false
  return value._bsontype === 'Long' || value._bsontype === 'Decimal128'
}
