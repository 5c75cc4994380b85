import { InvalidBodyError } from '../http/body-error.js'
import { MAX_ALTERNATIVES, MAX_LISTED, MIN_ALTERNATIVES, type FilterParameter, type Grammar } from './grammar.js'
import type { Condition, ListQuery } from './list-query.js'
import { namesIn, pageOf, refuseUnknown, toCondition, toValue, type Named, type Refuse } from './rules.js'

const NO_OBJECT = 'must be object'

type Members = Map<string, unknown>

type Faults = InvalidBodyError['faults']

/** Parses a query that came as JSON. Throws InvalidBodyError, which has every fault. */
export function parseBody (body: unknown, grammar: Grammar): ListQuery {
  const given = membersOf(body)
  if (!given) throw new InvalidBodyError([{ pointer: '', detail: NO_OBJECT }])
  const faults: Faults = []
  const refuse = refuserAt('', faults)
  refuseUnknown(given.keys(), ['filter', ...grammar.names.filter((name) => !grammar.filters.has(name))], refuse)
  const query = {
    ...filterOf(given, grammar, faults),
    ...pageOf({
      has: (name) => given.has(name),
      names: (name) => namesOf(name, given, refuse),
      number: (name) => given.get(name),
      text: (name) => given.get(name),
      advice: 'go on by a cursor instead'
    }, grammar, refuse)
  }
  if (faults.length > 0) throw new InvalidBodyError(faults)
  return query
}

/** Of an object, undefined for anything else. */
function membersOf (value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined
}

function refuserAt (place: string, faults: Faults): Refuse {
  return (name, detail, index) => {
    const escaped = name.replaceAll('~', '~0').replaceAll('/', '~1')
    faults.push({ pointer: `${place}/${escaped}${index === undefined ? '' : `/${index}`}`, detail })
  }
}

function filterOf (given: Members, grammar: Grammar, faults: Faults): Pick<ListQuery, 'conditions' | 'anyOf'> {
  if (!given.has('filter')) return { conditions: [] }
  const filter = membersOf(given.get('filter'))
  if (!filter) refuserAt('', faults)('filter', NO_OBJECT)
  const refuse = refuserAt('/filter', faults)
  const conditions = conditionsOf(filter ?? new Map(), grammar, ['or'], refuse)
  if (!filter?.has('or')) return { conditions }
  const or = filter.get('or')
  if (isListOf(or, MIN_ALTERNATIVES, MAX_ALTERNATIVES)) return { conditions, anyOf: or.map((each, index) => alternativeOf(each, grammar, index, faults)) }
  refuse('or', `must be a list of ${MIN_ALTERNATIVES} to ${MAX_ALTERNATIVES} filters`)
  return { conditions }
}

function alternativeOf (value: unknown, grammar: Grammar, index: number, faults: Faults): Condition[] {
  const filter = membersOf(value)
  const refuse = refuserAt('/filter', faults)
  if (!filter) refuse('or', NO_OBJECT, index)
  else if (filter.size === 0) refuse('or', 'must not be empty, which every record meets', index)
  const refuseWithin = refuserAt(`/filter/or/${index}`, faults)
  if (filter?.delete('or')) refuseWithin('or', 'must not stand within another one')
  return conditionsOf(filter ?? new Map(), grammar, [], refuseWithin)
}

/** @param others names that are known besides */
function conditionsOf (given: Members, { filters }: Grammar, others: readonly string[], refuse: Refuse): Condition[] {
  refuseUnknown(given.keys(), [...filters.keys(), ...others], refuse)
  return [...given].flatMap(([name, value]) => {
    const parameter = filters.get(name)
    return parameter ? [toCondition(parameter, valueOf(parameter, value, refuse))] : []
  })
}

/** The value of a filter; of what is refused it means nothing. */
function valueOf (parameter: FilterParameter, given: unknown, refuse: Refuse): unknown {
  const one = (value: unknown, index?: number) => {
    const parsed = toValue(parameter, value)
    if ('value' in parsed) return parsed.value
    return refuse(parameter.name, parsed.fault, index)
  }
  if (parameter.operator !== 'in') return one(given)
  if (isListOf(given, 1, MAX_LISTED)) return given.map(one)
  return refuse(parameter.name, `must be a list of 1 to ${MAX_LISTED} values`)
}

function isListOf (value: unknown, least: number, most: number): value is unknown[] {
  return Array.isArray(value) && value.length >= least && value.length <= most
}

/** The names of `sort` or `fields`: a text as in a query, or a list with one in each place. */
function namesOf (name: 'sort' | 'fields', given: Members, refuse: Refuse): Named[] | undefined {
  const value = given.get(name)
  if (value === undefined) return undefined
  if (typeof value === 'string') return namesIn(value)
  if (!isListOf(value, 1, Infinity)) refuse(name, 'must be text, or a list of text that is not empty')
  else value.forEach((text, index) => { if (typeof text !== 'string') refuse(name, 'must be text', index) })
  return [value].flat().flatMap((text, index) => typeof text === 'string' ? [{ text, index }] : [])
}
