import { MAX_VALUES, type FilterParameter, type Grammar } from './grammar.js'
import type { Condition, ListQuery } from './list-query.js'
import { InvalidQueryError, MalformedQueryError, type QueryFault } from './query-error.js'
import { namesIn, pageOf, refuseUnknown, toCondition, toValue, type Parsed, type Refuse } from './rules.js'

/** A number as JSON has it (RFC 8259 section 6). */
export const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

type Values = Map<string, string[]>

/** Parses a query, without its question mark. Throws InvalidQueryError, which has every fault, and MalformedQueryError. */
export function parseQuery (text: string, grammar: Grammar): ListQuery {
  const given = parameters(text)
  const faults: QueryFault[] = []
  const refuse: Refuse = (parameter, detail) => { faults.push({ parameter, detail }) }
  refuseUnknown(given.keys(), grammar.names, refuse)
  const single = <T>(parameter: string, read: (text: string) => T): T | undefined => {
    const values = grammar.names.includes(parameter) ? given.get(parameter) : undefined
    if (values && values.length > 1) refuse(parameter, 'must not occur more than once')
    return values?.length === 1 ? read(String(values[0])) : undefined
  }
  const query = {
    conditions: conditionsOf(given, grammar, refuse),
    ...pageOf({
      has: (name) => given.has(name),
      names: (name) => single(name, namesIn),
      number: (name) => single(name, digits),
      text: (name) => single(name, String),
      advice: 'follow the cursor of `next` instead'
    }, grammar, refuse)
  }
  if (faults.length > 0) throw new InvalidQueryError(faults)
  return query
}

/** Refuses any parameter. */
export function parseNoQuery (text: string): void {
  const faults: QueryFault[] = []
  refuseUnknown(parameters(text).keys(), [], (parameter, detail) => { faults.push({ parameter, detail }) })
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

function conditionsOf (given: Values, { filters }: Grammar, refuse: Refuse): Condition[] {
  const conditions: Condition[] = []
  for (const [name, texts] of given) {
    const parameter = filters.get(name)
    if (!parameter) continue
    const parsed = filterValue(parameter, texts)
    if ('fault' in parsed) refuse(name, parsed.fault)
    else conditions.push(toCondition(parameter, parsed.value))
  }
  return conditions
}

function filterValue (parameter: FilterParameter, texts: string[]): Parsed {
  if (parameter.operator === 'in') {
    if (texts.length > MAX_VALUES) return { fault: `must not occur more than ${MAX_VALUES} times` }
    const parsed = texts.map((text) => toValue(parameter, asJson(parameter, text)))
    return parsed.find((each) => 'fault' in each) ?? { value: parsed.map((each) => 'value' in each && each.value) }
  }
  const [text = '', ...more] = texts
  return more.length > 0 ? { fault: 'must not occur more than once' } : toValue(parameter, asJson(parameter, text))
}

/** The value of JSON that a text stands for, or the text itself where it stands for none of the kind. */
function asJson ({ kind, operator }: FilterParameter, text: string): unknown {
  if (operator === 'exists' || kind === 'boolean') return text === 'true' || (text === 'false' ? false : text)
  return (kind === 'number' || kind === 'integer') && NUMBER.test(text) ? Number(text) : text
}

function digits (text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text
}
