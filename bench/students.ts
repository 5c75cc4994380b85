import { faker } from '@faker-js/faker'
import { ObjectId, type Collection } from 'mongodb'
import { FieldConversion } from '../lib/resources/fields.js'
import { student } from '../schemas/student.js'
import { fakeStudent } from '../scripts/fake-student.js'

/** So many different students; the ids differ beyond that. */
const DIFFERENT = 1_000
const INSERTED_AT_ONCE = 5_000

faker.seed(1)
const students = Array.from({ length: DIFFERENT }, fakeStudent)

/** The same student for the same number, in every run. */
export function studentOf (n: number) {
  return students[n % DIFFERENT] ?? fakeStudent()
}

export const idOf = (n: number) => `66b3f0a1c2d4e5f6${n.toString(16).padStart(8, '0')}`

/** An id that no student has. */
export const unknownIdOf = (n: number) => `0000f0a1c2d4e5f6${n.toString(16).padStart(8, '0')}`

/** The collection of a server that is measured, brought to a known state before each case. */
export class StudentCollection {
  #collection: Collection
  #count = -1

  constructor (collection: Collection) {
    this.#collection = collection
  }

  /** Makes the collection hold the first `count` students and nothing else. */
  async hold (count: number): Promise<void> {
    if (this.#count === count) return
    await this.drop()
    for (let from = 0; from < count; from += INSERTED_AT_ONCE) {
      const length = Math.min(INSERTED_AT_ONCE, count - from)
      await this.#collection.insertMany(Array.from({ length }, (_, n) => documentOf(from + n)))
    }
    this.#count = count
  }

  /** Says that a server has written to it. */
  changed (): void {
    this.#count = -1
  }

  async drop (): Promise<void> {
    this.changed()
    await this.#collection.drop()
  }
}

const conversion = new FieldConversion(student.fields)

/** The student of a number as it is stored. */
export function documentOf (n: number) {
  return { _id: new ObjectId(idOf(n)), ...conversion.toBson(studentOf(n)) }
}
