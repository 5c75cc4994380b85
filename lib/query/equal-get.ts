import { LIST_LIMIT } from '../../schemas/resource.js'
import { MAX_VALUES } from './grammar.js'
import { toUri } from './link.js'
import type { Condition, ListQuery } from './list-query.js'

/** The longest reference that is handed out, in characters: servers and proxies take at least 8000 (RFC 9110 section 4.1), and a cursor may follow. */
const MAX_REFERENCE = 4_096

/**
 * The path and query whose GET answers the same page; undefined where there is none, or where it would be too long.
 * @param path as it came in the request's target
 */
export function equalGet (path: string, query: ListQuery): string | undefined {
  const isTooLong = query.conditions.some(({ value }) => Array.isArray(value) && value.length > MAX_VALUES)
  if (query.anyOf || isTooLong) return undefined
  const parameters = parametersOf(query).map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2C', ',')}`)
  const reference = [toUri(path), ...parameters.length > 0 ? [parameters.join('&')] : []].join('?')
  return reference.length > MAX_REFERENCE ? undefined : reference
}

function parametersOf ({ conditions, sort, fields, limit, cursor, offset, count }: ListQuery): [name: string, value: string][] {
  return [
    ...conditions.flatMap(filterParameters),
    ...sort.length > 0 ? [parameter('sort', sort.map(({ field, isDescending }) => isDescending ? `-${field}` : field).join())] : [],
    ...fields ? [parameter('fields', fields.join())] : [],
    ...limit === LIST_LIMIT ? [] : [parameter('limit', limit)],
    ...cursor === undefined ? [] : [parameter('cursor', cursor)],
    ...offset > 0 ? [parameter('offset', offset)] : [],
    ...count ? [parameter('count', count)] : []
  ]
}

function filterParameters ({ field, operator, value }: Condition): [string, string][] {
  const name = operator === 'eq' ? field : `${field}.${operator}`
  return [value].flat().map((each) => parameter(name, each instanceof Date ? each.toISOString() : each))
}

function parameter (name: string, value: unknown): [string, string] {
  return [name, String(value)]
}
