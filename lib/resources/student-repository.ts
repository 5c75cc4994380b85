import type { TString } from '@sinclair/typebox'
import type { Student } from '../../schemas/student.js'
import type { StudentFields } from './student-fields.js'

/**
 * What the routes ask of a store. `undefined` and `false` mean: no such student.
 * A store that can't serve throws StoreUnavailableError (503) or StoreFullError (507).
 */
export interface StudentRepository {
  /** What an id is, where it is not 24 hexadecimal digits: a path with anything else is 422. */
  id?: TString
  create(fields: StudentFields): Promise<Student>
  /** At most 1000 students, in the store's order: the array, or an object that holds it. */
  list(): Promise<Student[] | { students: Student[] }>
  find(id: string): Promise<Student | undefined>
  /** Changes only the given fields; none given answers the stored student. */
  update(id: string, changes: Partial<StudentFields>): Promise<Student | undefined>
  delete(id: string): Promise<boolean>
}
