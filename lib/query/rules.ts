import { ObjectIdHex } from '../../schemas/common.js'
import { LIST_LIMIT } from '../../schemas/resource.js'
import { isDateTime } from '../http/date-time.js'
import { suggestion } from '../options/nearest.js'
import { MAX_CURSOR, MAX_OFFSET, MAX_SORT_KEYS, type FilterParameter, type Grammar } from './grammar.js'
import type { Condition, ListQuery, SortKey } from './list-query.js'

/** Tells a fault of what is asked by a name; by its place in a list, where it came as one. */
export type Refuse = (name: string, detail: string, index?: number) => void

/** A value, or what it must be. */
export type Parsed = { value: unknown } | { fault: string }

/** One of the names of `sort` and `fields`, with its place where they came as a list. */
export interface Named {
  text: string
  index?: number
}

/** What is asked, by name, as values of JSON; undefined for what is not there. */
export interface Asked {
  has (name: string): boolean
  names (name: 'sort' | 'fields'): readonly Named[] | undefined
  number (name: string): unknown
  text (name: string): unknown
  /** What to do in place of a large offset. */
  advice: string
}

/** The names of a text such as `-gpa,name`. */
export function namesIn (text: string): Named[] {
  return text.split(',').map((text) => ({ text }))
}

/** Refuses each name that is not known. */
export function refuseUnknown (given: Iterable<string>, known: readonly string[], refuse: Refuse): void {
  for (const name of given) if (!known.includes(name)) refuse(name, `is unknown${suggestion(name, known)}`)
}

/** The condition that a parameter and its value make. */
export function toCondition ({ name, ...condition }: FilterParameter, value: unknown): Condition {
  return { ...condition, value }
}

/** The value of a filter that a value of JSON is; of `in`, one of its values. */
export function toValue ({ kind, operator, values, pattern = String(ObjectIdHex.pattern) }: FilterParameter, given: unknown): Parsed {
  const is = (isRight: boolean, fault: string): Parsed => isRight ? { value: given } : { fault }
  if (operator === 'exists' || kind === 'boolean') return is(typeof given === 'boolean', 'must be true or false')
  const isExact = operator === 'eq' || operator === 'ne' || operator === 'in'
  if (isExact && values && !values.includes(given)) return { fault: `must be one of ${values.join(', ')}` }
  switch (kind) {
    case 'number': return is(Number.isFinite(given), 'must be a number')
    case 'integer': return is(Number.isSafeInteger(given), 'must be an integer')
    case 'date-time': return isTime(given) ? { value: new Date(given) } : { fault: 'must be a time with its offset, such as 2026-01-31T12:00:00Z' }
    case 'id': return is(isLike(given, pattern), 'must be 24 hexadecimal digits')
    case 'text-id':
    case 'uuid': return is(isLike(given, pattern), `must match pattern "${pattern}"`)
    case 'text': return typeof given === 'string' ? is(given.isWellFormed(), 'must be well-formed Unicode, without lone surrogates') : { fault: 'must be text' }
  }
}

/** Those of ids, which only resources bring. */
const patterns = new Map<string, RegExp>()

function isLike (given: unknown, pattern: string): boolean {
  const compiled = patterns.get(pattern) ?? new RegExp(pattern, 'u')
  patterns.set(pattern, compiled)
  return typeof given === 'string' && compiled.test(given)
}

function isTime (given: unknown): given is string {
  return typeof given === 'string' && isDateTime(given)
}

/** What is asked of a page, but for its filters. */
export function pageOf (asked: Asked, { sortable, selectable, choices }: Grammar, refuse: Refuse): Omit<ListQuery, 'conditions'> {
  const page = {
    sort: sortOf(asked.names('sort'), sortable, refuse),
    fields: fieldsOf(asked.names('fields'), selectable, refuse),
    limit: wholeNumber('limit', asked.number('limit'), [1, LIST_LIMIT], refuse) ?? LIST_LIMIT,
    cursor: cursorOf(asked.text('cursor'), refuse),
    offset: wholeNumber('offset', asked.number('offset'), [0, MAX_OFFSET], refuse, asked.advice) ?? 0,
    ...choicesOf(choices, asked, refuse)
  }
  if (asked.has('offset') && asked.has('cursor')) refuse('offset', 'must not stand beside a cursor')
  for (const name of ['fields', 'cursor'] as const) if (page[name] === undefined) delete page[name]
  return page as Omit<ListQuery, 'conditions'> // what is undefined is gone
}

function sortOf (names: readonly Named[] = [], sortable: readonly string[], refuse: Refuse): SortKey[] {
  const keys = names.map(({ text }) => text.startsWith('-') ? { field: text.slice(1), isDescending: true } : { field: text, isDescending: false })
  keys.forEach(({ field }, at) => { if (!sortable.includes(field)) refuse('sort', unknownField(field, sortable), names[at]?.index) })
  if (new Set(keys.map(({ field }) => field)).size < keys.length) refuse('sort', 'must not name a field twice')
  if (keys.length > MAX_SORT_KEYS) refuse('sort', `must not have more than ${MAX_SORT_KEYS} keys`)
  if (keys.slice(0, -1).some(({ field }) => field === 'id')) refuse('sort', 'must not go on after id, which no two records share')
  return keys
}

function fieldsOf (names: readonly Named[] | undefined, selectable: readonly string[], refuse: Refuse): string[] | undefined {
  for (const { text, index } of names ?? []) if (!selectable.includes(text)) refuse('fields', unknownField(text, selectable), index)
  return names && [...new Set(names.map(({ text }) => text))]
}

function unknownField (field: string, known: readonly string[]): string {
  return `must not name ${JSON.stringify(field)}, which is unknown${suggestion(field, known) || `; there are ${known.join(', ')}`}`
}

function wholeNumber (name: string, given: unknown, [least, most]: [number, number], refuse: Refuse, advice?: string): number | undefined {
  if (given === undefined) return undefined
  const number = Number.isInteger(given) ? Number(given) : NaN
  if (number >= least && number <= most) return number
  refuse(name, `must be an integer from ${least} to ${most}${advice !== undefined && number > most ? `; ${advice}` : ''}`)
  return undefined
}

function cursorOf (given: unknown, refuse: Refuse): string | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'string') refuse('cursor', 'must be text')
  else if (given.length > MAX_CURSOR) refuse('cursor', `must not be longer than ${MAX_CURSOR} characters`)
  return String(given)
}

function choicesOf (choices: Grammar['choices'], asked: Asked, refuse: Refuse): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const [name, values] of Object.entries(choices)) {
    const given = asked.text(name)
    if (given === undefined) continue
    const value = values.find((value) => value === given)
    if (value === undefined) refuse(name, `must be ${values.join(' or ')}`)
    else chosen[name] = value
  }
  return chosen
}
