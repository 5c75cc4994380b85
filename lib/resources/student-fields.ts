import type { CreateStudent, UpdateStudent } from '../../schemas/student.js'

/** What a repository stores of a student; gpa is a finite number. */
export interface StudentFields {
  name: string
  email: string
  course: string
  gpa: number
}

/** The fields of a valid body, picked by name: whatever else the body holds is left behind. */
export function toFields ({ name, email, course, gpa }: CreateStudent): StudentFields {
  return { name, email, course, gpa: toNumber(gpa) }
}

/** The fields of a valid body that are to change: those that are there and not null. */
export function toChanges ({ name, email, course, gpa }: UpdateStudent): Partial<StudentFields> {
  return {
    ...(name != null && { name }),
    ...(email != null && { email }),
    ...(course != null && { course }),
    ...(gpa != null && { gpa: toNumber(gpa) })
  }
}

function toNumber (gpa: number | string): number {
  return Number(gpa) + 0 // -0 becomes 0
}
