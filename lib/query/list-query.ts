import type { FilterParameter } from './grammar.js'

/** One condition of a filter; all of them must hold. */
export interface Condition extends Omit<FilterParameter, 'name'> {
  /** Of the type of the kind: text, a number, a boolean or a Date; of `in` a list of them, of `exists` a boolean. */
  value: unknown
}

export interface SortKey {
  field: string
  isDescending: boolean
}

/** What a request asks of a list. */
export interface ListQuery {
  conditions: readonly Condition[]
  /** Where it is there, all conditions of at least one of these must hold as well. */
  anyOf?: readonly (readonly Condition[])[]
  /** The keys of the order, without `id` at its end where it was not asked for. */
  sort: readonly SortKey[]
  /** Which fields to show, all where it is missing. */
  fields?: readonly string[]
  limit: number
  /** Where the page begins, as another page said. */
  cursor?: string
  offset: number
  count?: 'bounded' | 'exact'
}

/** What a request asks of an export. */
export interface ExportQuery extends ListQuery {
  format?: 'ndjson' | 'csv'
  excel?: 'true' | 'false'
}

/** What a request asks of writes of many records. */
export interface BulkQuery {
  dryRun?: 'true' | 'false'
  onError?: 'continue' | 'stop'
}

/** One page of a list. */
export interface Page<T> {
  items: readonly T[]
  /** The cursor of the page after this one, where there is one. */
  next?: string
  /** The cursor of the page before it. */
  prev?: string
  /** The cursor of the last page. */
  last?: string
  /** How many records match. */
  total?: { value: number, relation: 'eq' | 'gte' }
}
