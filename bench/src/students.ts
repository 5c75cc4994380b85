import { Double, ObjectId, type Collection } from 'mongodb'

/** The most students that a list holds. */
export const LIST_LIMIT = 1_000

/** How many different grades there are; neighbours have neighbouring ones. */
export const GRADES = 301
export const gradeOf = (n: number) => (100 + n) / 100

const INSERTED_AT_ONCE = 5_000

/** The same student for the same number, in every run; as long as one that `npm run seed` makes up. */
export const studentOf = (n: number) => ({
  name: `Student Number ${n}`,
  email: `student.number.${n}@example.com`,
  course: `Course ${n % 100}: integrated analysis of the stable response`,
  gpa: gradeOf(n % GRADES)
})

export const idOf = (n: number) => `66b3f0a1c2d4e5f6${n.toString(16).padStart(8, '0')}`

/** An id that no student has. */
export const unknownIdOf = (n: number) => `0000f0a1c2d4e5f6${n.toString(16).padStart(8, '0')}`

/** One of the first `count` numbers: all of them once, but no neighbours one after the other, as 7919 is prime to the counts here. */
export const scattered = (n: number, count: number) => n * 7_919 % count

/** The student of a number as it is stored. */
export function documentOf (n: number, _id = new ObjectId(idOf(n))) {
  const student = studentOf(n)
  return { _id, ...student, gpa: new Double(student.gpa) }
}

/** Inserts the first students. */
export async function fill (collection: Collection, count: number): Promise<void> {
  for (let from = 0; from < count; from += INSERTED_AT_ONCE) {
    const length = Math.min(INSERTED_AT_ONCE, count - from)
    await collection.insertMany(Array.from({ length }, (_, n) => documentOf(from + n)))
  }
}

/** The collection of a server that is measured, brought to a known state before each case. */
export class StudentCollection {
  #held = ''

  constructor (private readonly collection: Collection) {}

  /** Makes the collection hold the first `count` students and nothing else, with the index for an order by grade if that is asked for. */
  async hold (count: number, isSorted = false): Promise<void> {
    const wanted = `${count} ${isSorted}`
    if (this.#held === wanted) return
    await this.drop()
    if (isSorted) await this.collection.createIndex({ gpa: 1, _id: 1 })
    await fill(this.collection, count)
    this.#held = wanted
  }

  /** Says that a server has written to it. */
  changed (): void {
    this.#held = ''
  }

  async drop (): Promise<void> {
    this.changed()
    await this.collection.drop()
  }
}
