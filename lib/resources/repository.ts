import type { TString } from '@sinclair/typebox'
import type { Fields, Shown, Stored } from '../../schemas/resource.js'
import type { student } from '../../schemas/student.js'

/**
 * What the routes of a resource ask of a store. `undefined` and `false` mean: no such record.
 * A store that can't serve throws StoreUnavailableError (503) or StoreFullError (507).
 */
export interface Repository<F extends Fields = Fields> {
  /** What an id is, where it is not 24 hexadecimal digits: a path with anything else is 422. */
  id?: TString
  create(fields: Stored<F>): Promise<Shown<F>>
  /** At most 1000 records, in the store's order: the array, or an object that holds it under the resource's plural. */
  list(): Promise<Shown<F>[] | Record<string, Shown<F>[]>>
  find(id: string): Promise<Shown<F> | undefined>
  /** Changes only the given fields; none given answers the stored record. */
  update(id: string, changes: Partial<Stored<F>>): Promise<Shown<F> | undefined>
  delete(id: string): Promise<boolean>
}

export type StudentRepository = Repository<typeof student.fields>
