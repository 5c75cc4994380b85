import { ObjectIdHex } from '../../schemas/common.js'
import { LIST_LIMIT } from '../../schemas/resource.js'
import { isDateTime } from '../http/date-time.js'
import { MAX_CURSOR, MAX_OFFSET, MAX_SORT_KEYS, MAX_VALUES, type FilterParameter, type Grammar } from './grammar.js'
import type { Condition, ListQuery, SortKey } from './list-query.js'
import { suggestion } from '../options/nearest.js'
import { InvalidQueryError, MalformedQueryError, type QueryFault } from './query-error.js'

/** A number as JSON has it (RFC 8259 section 6). */
export const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

const ID = new RegExp(String(ObjectIdHex.pattern))

type Values = Map<string, string[]>

/** A value, or what it must be. */
type Parsed = { value: unknown } | { fault: string }

/** Parses a query, without its question mark. Throws InvalidQueryError, which has every fault, and MalformedQueryError. */
export function parseQuery (text: string, grammar: Grammar): ListQuery {
  const given = parameters(text)
  const faults: QueryFault[] = unknownFaults(given, grammar.names)
  const single = (parameter: string): string | undefined => {
    const values = grammar.names.includes(parameter) ? given.get(parameter) : undefined
    if (values && values.length > 1) faults.push({ parameter, detail: 'must not occur more than once' })
    return values?.length === 1 ? values[0] : undefined
  }
  const query = {
    conditions: conditionsOf(given, grammar, faults),
    sort: sortOf(single('sort'), grammar.sortable, faults),
    fields: fieldsOf(single('fields'), grammar.selectable, faults),
    limit: wholeNumber('limit', single('limit'), [1, LIST_LIMIT], faults) ?? LIST_LIMIT,
    cursor: cursorOf(single('cursor'), faults),
    offset: wholeNumber('offset', single('offset'), [0, MAX_OFFSET], faults, ' follow the cursor of `next` instead') ?? 0,
    ...choicesOf(grammar, single, faults)
  }
  if (given.has('offset') && given.has('cursor')) faults.push({ parameter: 'offset', detail: 'must not stand beside a cursor' })
  if (faults.length > 0) throw new InvalidQueryError(faults)
  for (const name of ['fields', 'cursor'] as const) if (query[name] === undefined) delete query[name]
  return query as ListQuery // what is undefined is gone
}

/** Refuses any parameter. */
export function parseNoQuery (text: string): void {
  const faults = unknownFaults(parameters(text), [])
  if (faults.length > 0) throw new InvalidQueryError(faults)
}

function parameters (text: string): Values {
  const values: Values = new Map()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    const decoded = decode(name)
    values.set(decoded, [...values.get(decoded) ?? [], decode(value)])
  }
  return values
}

/** As a form has it: + is a space. */
function decode (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new MalformedQueryError()
  }
}

function unknownFaults (given: Values, names: readonly string[]): QueryFault[] {
  return [...given.keys()].filter((name) => !names.includes(name)).map((parameter) => ({
    parameter, detail: `is unknown${suggestion(parameter, names)}`
  }))
}

function conditionsOf (given: Values, { filters }: Grammar, faults: QueryFault[]): Condition[] {
  const conditions: Condition[] = []
  for (const [name, texts] of given) {
    const parameter = filters.get(name)
    if (!parameter) continue
    const parsed = filterValue(parameter, texts)
    if ('fault' in parsed) faults.push({ parameter: name, detail: parsed.fault })
    else conditions.push(toCondition(parameter, parsed.value))
  }
  return conditions
}

function toCondition ({ name, ...condition }: FilterParameter, value: unknown): Condition {
  return { ...condition, value }
}

function filterValue (parameter: FilterParameter, texts: string[]): Parsed {
  if (parameter.operator === 'in') {
    if (texts.length > MAX_VALUES) return { fault: `must not occur more than ${MAX_VALUES} times` }
    const parsed = texts.map((text) => scalar(parameter, text))
    return parsed.find((each) => 'fault' in each) ?? { value: parsed.map((each) => 'value' in each && each.value) }
  }
  const [text = '', ...more] = texts
  return more.length > 0 ? { fault: 'must not occur more than once' } : scalar(parameter, text)
}

function scalar ({ kind, operator, values }: FilterParameter, text: string): Parsed {
  if (operator === 'exists' || kind === 'boolean') {
    return text === 'true' || text === 'false' ? { value: text === 'true' } : { fault: 'must be true or false' }
  }
  const isExact = operator === 'eq' || operator === 'ne' || operator === 'in'
  if (isExact && values && !values.some((value) => String(value) === text)) return { fault: `must be one of ${values.join(', ')}` }
  switch (kind) {
    case 'number': return NUMBER.test(text) && Number.isFinite(Number(text)) ? { value: Number(text) } : { fault: 'must be a number' }
    case 'integer': return NUMBER.test(text) && Number.isSafeInteger(Number(text)) ? { value: Number(text) } : { fault: 'must be an integer' }
    case 'date-time': return isDateTime(text) ? { value: new Date(text) } : { fault: 'must be a time with its offset, such as 2026-01-31T12:00:00Z' }
    case 'id': return ID.test(text) ? { value: text } : { fault: 'must be 24 hexadecimal digits' }
    case 'text': return { value: text }
  }
}

function sortOf (text: string | undefined, sortable: readonly string[], faults: QueryFault[]): SortKey[] {
  if (text === undefined) return []
  const keys = text.split(',').map((key) => key.startsWith('-') ? { field: key.slice(1), isDescending: true } : { field: key, isDescending: false })
  const fault = (detail: string) => faults.push({ parameter: 'sort', detail })
  for (const { field } of keys) if (!sortable.includes(field)) fault(unknownField(field, sortable))
  if (new Set(keys.map(({ field }) => field)).size < keys.length) fault('must not name a field twice')
  if (keys.length > MAX_SORT_KEYS) fault(`must not have more than ${MAX_SORT_KEYS} keys`)
  if (keys.slice(0, -1).some(({ field }) => field === 'id')) fault('must not go on after id, which no two records share')
  return keys
}

function fieldsOf (text: string | undefined, selectable: readonly string[], faults: QueryFault[]): string[] | undefined {
  const fields = text?.split(',')
  for (const field of fields ?? []) if (!selectable.includes(field)) faults.push({ parameter: 'fields', detail: unknownField(field, selectable) })
  return fields && [...new Set(fields)]
}

function unknownField (field: string, known: readonly string[]): string {
  return `must not name ${JSON.stringify(field)}, which is unknown${suggestion(field, known) || `; there are ${known.join(', ')}`}`
}

function wholeNumber (parameter: string, text: string | undefined, [least, most]: [number, number], faults: QueryFault[], advice?: string) {
  if (text === undefined) return undefined
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (number >= least && number <= most) return number
  faults.push({ parameter, detail: `must be an integer from ${least} to ${most}${advice !== undefined && number > most ? `;${advice}` : ''}` })
  return undefined
}

function cursorOf (text: string | undefined, faults: QueryFault[]): string | undefined {
  if (text !== undefined && text.length > MAX_CURSOR) faults.push({ parameter: 'cursor', detail: `must not be longer than ${MAX_CURSOR} characters` })
  return text
}

function choicesOf ({ choices }: Grammar, single: (parameter: string) => string | undefined, faults: QueryFault[]): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const [parameter, values] of Object.entries(choices)) {
    const value = single(parameter)
    if (value === undefined) continue
    if (values.includes(value)) chosen[parameter] = value
    else faults.push({ parameter, detail: `must be ${values.join(' or ')}` })
  }
  return chosen
}
