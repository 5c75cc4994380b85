import type { TString } from '@sinclair/typebox'
import type { Fields, Shown, Stored } from '../../schemas/resource.js'
import type { student } from '../../schemas/student.js'
import type { ListQuery, Page } from '../query/list-query.js'

/**
 * What a repository can do beyond the five methods of every one:
 * `query`: `list` obeys the query that it is given, also its `anyOf`, and answers pages.
 * `conditions`: `update` and `delete` obey the condition that they are given.
 * `stream`: it has the method `stream`, and exports are served.
 * `bulk`: it has the methods `createMany` and `changeMany`, and `create` obeys the id that it is given.
 */
export type Capability = 'query' | 'conditions' | 'stream' | 'bulk'

/** Whether a record is as the request expects it. */
export type RecordCondition<F extends Fields> = (record: Shown<F>) => boolean

/** A record to create, with an id that was made for it. */
export interface NewRecord<F extends Fields> {
  id: string
  fields: Stored<F>
}

/** A change of one record among others. */
export interface RecordChange<F extends Fields> {
  id: string
  /** The fields to change; without them the record is deleted. */
  changes?: Partial<Stored<F>>
  /** What the record must be in the moment in which it is changed. */
  condition?: RecordCondition<F>
}

/**
 * What became of such a change: the record as it is now; the record that does not meet the condition; true where it was made and the record is gone;
 * false where there is none; or its own error.
 */
export type ChangeOutcome<F extends Fields> = Shown<F> | Changed<Shown<F>> | boolean | Error

/** The answer to a change whose condition does not hold: the record as it is, unchanged. */
export class Changed<T> {
  readonly current: T

  constructor (current: T) {
    this.current = current
  }
}

/**
 * What the routes of a resource ask of a store. `undefined` and `false` mean: no such record.
 * A store that can't serve throws StoreUnavailableError (503) or StoreFullError (507).
 */
export interface Repository<F extends Fields = Fields> {
  /** What an id is, where it is not 24 hexadecimal digits: a path with anything else is 422. */
  id?: TString
  /** What it can do beside; a route or a parameter that needs another capability is not there. */
  capabilities?: readonly Capability[]
  /**
   * @param id only with the capability `bulk`: the id of the new record, which was made for it. So a record that has it already is this one, of which the
   * first answer was lost.
   */
  create(fields: Stored<F>, id?: string): Promise<Shown<F>>
  /** Creates records whose ids were made for them, as above; answers the error of each, or undefined. */
  createMany?(records: readonly NewRecord<F>[]): Promise<(Error | undefined)[]>
  /**
   * A page of the records that meet the query. Without the capability `query`: at most 1000 records in the store's order, as an array, or as an
   * object that holds it under the resource's plural.
   */
  list(query: ListQuery): Promise<Page<Shown<F>> | Shown<F>[] | Record<string, Shown<F>[]>>
  /**
   * All records that meet the query, in pieces of any length, as they are asked for. The signal is aborted once nobody waits for them.
   * With a field `etag` among those that are asked for, the records are whole.
   */
  stream?(query: ListQuery, signal: AbortSignal): AsyncIterable<{ items: readonly Shown<F>[] }>
  find(id: string): Promise<Shown<F> | undefined>
  /**
   * Changes only the given fields; none given answers the stored record.
   * @param condition only with the capability `conditions`: what the record must be in the moment in which it is changed. Where it is not, but has
   * these values already, the answer is the record.
   */
  update(id: string, changes: Partial<Stored<F>>, condition?: RecordCondition<F>): Promise<Shown<F> | Changed<Shown<F>> | undefined>
  /** Makes changes of records that are all different, each on its own. */
  changeMany?(changes: readonly RecordChange<F>[]): Promise<ChangeOutcome<F>[]>
  /** @param condition as above */
  delete(id: string, condition?: RecordCondition<F>): Promise<boolean | Changed<Shown<F>>>
}

/** A repository with the capability `bulk`. */
export type BulkRepository = Repository & Required<Pick<Repository, 'createMany' | 'changeMany'>>

export function isBulk (repository: Repository): repository is BulkRepository {
  return repository.capabilities?.includes('bulk') === true
}

export type StudentRepository = Repository<typeof student.fields>
