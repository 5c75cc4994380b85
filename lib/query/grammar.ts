import { Type, type TObject, type TSchema } from '@sinclair/typebox'
import { ObjectIdHex } from '../../schemas/common.js'
import { objectIds, type Ids } from '../../schemas/ids.js'
import { kindOf, LIST_LIMIT, type Fields, type Kind } from '../../schemas/resource.js'

/** What the values of a parameter are. */
export type ParameterKind = Kind | 'id' | 'text-id' | 'uuid'

/** How a filter compares. `eq` stands without its name: `course=Chemistry`. */
export type Operator = 'eq' | 'ne' | 'in' | 'gt' | 'gte' | 'lt' | 'lte' | 'prefix' | 'contains' | 'icontains' | 'exists'

/** A parameter that filters: `gpa.gte`. */
export interface FilterParameter {
  name: string
  field: string
  kind: ParameterKind
  operator: Operator
  /** The values that the field may have, where it is one of a few. */
  values?: readonly unknown[]
  /** What an id of text matches. */
  pattern?: string
}

/** The most values of a list. */
export const MAX_VALUES = 100

/** The most values of a list in a body. */
export const MAX_LISTED = 1_000

/** How many filters an `or` has. */
export const [MIN_ALTERNATIVES, MAX_ALTERNATIVES] = [2, 10]

/** The most keys of a sort. */
export const MAX_SORT_KEYS = 3

/** The largest offset; beyond it a server reads too much that nobody asked for. */
export const MAX_OFFSET = 10_000

/** The longest cursor, in characters: a longer one is neither handed out nor looked at. */
export const MAX_CURSOR = 4_096

/** Where a bounded count ends. */
export const COUNT_BOUND = 10_000

/** The field that says when a record was made, by its ObjectId. */
export const CREATED = 'created'

const ranges = ['gt', 'gte', 'lt', 'lte'] as const

const operators: Record<ParameterKind, readonly Operator[]> = {
  text: ['eq', 'ne', 'in', ...ranges, 'prefix', 'contains', 'icontains', 'exists'],
  number: ['eq', 'ne', 'in', ...ranges, 'exists'],
  integer: ['eq', 'ne', 'in', ...ranges, 'exists'],
  'date-time': ['eq', 'ne', 'in', ...ranges, 'exists'],
  boolean: ['eq', 'ne', 'exists'],
  id: ['eq', 'in', ...ranges],
  'text-id': ['eq', 'in', ...ranges],
  uuid: ['eq', 'in', ...ranges]
}

const meanings: Record<Operator, (field: string) => string> = {
  eq: (field) => `The ${field} is this.`,
  ne: (field) => `The ${field} is not this, or is missing.`,
  in: (field) => `The ${field} is one of these; repeat the parameter for each, at most ${MAX_VALUES} times.`,
  gt: (field) => `The ${field} is greater than this.`,
  gte: (field) => `The ${field} is this or greater.`,
  lt: (field) => `The ${field} is less than this.`,
  lte: (field) => `The ${field} is this or less.`,
  prefix: (field) => `The ${field} begins with this.`,
  contains: (field) => `The ${field} contains this.`,
  icontains: (field) => `The ${field} contains this, in upper or lower case.`,
  exists: (field) => `Whether the ${field} is there, as answers show it.`
}

/** What a list can be asked, compiled once from the fields of a resource. */
export interface Grammar {
  filters: ReadonlyMap<string, FilterParameter>
  /** The names of all parameters. */
  names: readonly string[]
  /** What can be sorted by. */
  sortable: readonly string[]
  /** What `fields` can name. */
  selectable: readonly string[]
  /** The other parameters that take one of a few words, with those words. */
  choices: Readonly<Record<string, readonly string[]>>
  /** The parameters as OpenAPI shows them. */
  schema: TObject
}

/** A parameter that takes one of a few words. */
export interface Choice {
  values: readonly string[]
  description: string
}

const count: Choice = { values: ['bounded', 'exact'], description: `Whether to count all records that match: \`bounded\` counts to ${COUNT_BOUND}, \`exact\` all.` }

/** Compiles the parameters of a list that is answered in pages. */
export function compileGrammar (fields: Fields, ids = objectIds): Grammar {
  return recordsGrammar(withId(fields, ids), pageSchemas, { count })
}

/**
 * The same of records that have none of our ids.
 * @param more what `fields` can name beside
 */
export function compileNamedGrammar (fields: Fields, more: readonly string[]): Grammar {
  return recordsGrammar({ kinds: kindsOf(fields), times: [], more }, pageSchemas, { count })
}

/** Compiles the parameters of a list that is answered whole: filters, order and fields, and some choices. */
export function wholeGrammar (fields: Fields, ids: Ids, choices: Record<string, Choice>): Grammar {
  return recordsGrammar(withId(fields, ids), {}, choices)
}

/** The parameters of a route that takes choices alone. */
export function choiceGrammar (choices: Record<string, Choice>): Grammar {
  const schema = Type.Object(choiceSchemas(choices))
  return { filters: new Map(), names: Object.keys(choices), sortable: [], selectable: [], choices: valuesOf(choices), schema }
}

/** What is asked of records: their fields, the times that their ids tell, and what can be answered beside the fields. */
interface Asked {
  kinds: Pick<FilterParameter, 'field' | 'kind' | 'values' | 'pattern'>[]
  times: readonly string[]
  more: readonly string[]
}

/** Only an ObjectId tells when it was made. */
function withId (fields: Fields, ids: Ids): Asked {
  if (ids === objectIds) return { kinds: [{ field: 'id', kind: 'id' }, ...kindsOf(fields)], times: [CREATED], more: ['etag'] }
  return { kinds: [{ field: 'id', kind: ids.stored === 'uuid' ? 'uuid' : 'text-id', pattern: ids.pattern }, ...kindsOf(fields)], times: [], more: ['etag'] }
}

function kindsOf (fields: Fields): Asked['kinds'] {
  return Object.entries(fields).map(([field, schema]) => ({ field, kind: kindOf(schema), values: schema.enum }))
}

function recordsGrammar ({ kinds, times, more }: Asked, pages: Fields, choices: Record<string, Choice>): Grammar {
  const parameters = [
    ...kinds.flatMap((of) => operators[of.kind].map((operator) => toParameter(of, operator))),
    ...times.flatMap((field) => ranges.map((operator) => toParameter({ field, kind: 'date-time' }, operator)))
  ]
  const filters = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const sortable = kinds.map(({ field }) => field)
  const selectable = [...sortable, ...more]
  const schema = Type.Object({
    ...Object.fromEntries(parameters.map((parameter) => [parameter.name, Type.Optional(filterSchema(parameter))])),
    sort: sortSchema(sortable),
    fields: selectionSchema(selectable),
    ...pages,
    ...choiceSchemas(choices)
  })
  return { filters, names: Object.keys(schema.properties), sortable, selectable, choices: valuesOf(choices), schema }
}

/** What a route of one record can be asked: which fields to answer. */
export function selectionGrammar (fields: Fields): Grammar {
  const selectable = ['id', ...Object.keys(fields)]
  const schema = Type.Object({ fields: selectionSchema(selectable) })
  return { filters: new Map(), names: ['fields'], sortable: [], selectable, choices: {}, schema }
}

function toParameter ({ field, kind, values, pattern }: Asked['kinds'][number], operator: Operator): FilterParameter {
  return { name: operator === 'eq' ? field : `${field}.${operator}`, field, kind, operator, ...values && { values }, ...pattern !== undefined && { pattern } }
}

function filterSchema ({ field, kind, operator, values, pattern }: FilterParameter): TSchema {
  const description = field === CREATED ? `When the record was made, to the second: ${operator} this time.` : meanings[operator](field)
  if (operator === 'exists') return Type.Boolean({ description })
  const isExact = operator === 'eq' || operator === 'in' || operator === 'ne'
  const value = valueSchema(kind, isExact ? values : undefined, pattern)
  return operator === 'in' ? Type.Array(value, { maxItems: MAX_VALUES, description }) : { ...value, description }
}

function valueSchema (kind: ParameterKind, values?: readonly unknown[], pattern = String(ObjectIdHex.pattern)): TSchema {
  switch (kind) {
    case 'number': return Type.Number()
    case 'integer': return Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
    case 'boolean': return Type.Boolean()
    case 'date-time': return Type.String({ format: 'date-time' })
    case 'id':
    case 'text-id':
    case 'uuid': return Type.String({ pattern })
    case 'text': return Type.Unsafe<string>({ type: 'string', ...values && { enum: values } })
  }
}

const pageSchemas = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIST_LIMIT, description: `How many records a page has at most; default ${LIST_LIMIT}.` })),
  cursor: Type.Optional(Type.String({ maxLength: MAX_CURSOR, description: 'Where the page begins: from `next` or the header Link of another page.' })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_OFFSET, description: 'How many records to skip, for page numbers; not with `cursor`.' }))
}

function sortSchema (sortable: readonly string[]): TSchema {
  return Type.Optional(Type.String({
    description: `What to sort by: at most ${MAX_SORT_KEYS} of ${sortable.join(', ')}, separated by commas; - before one for descending. Records that lack it come first.`,
    pattern: `^-?(${sortable.join('|')})(,-?(${sortable.join('|')})){0,${MAX_SORT_KEYS - 1}}$`
  }))
}

function choiceSchemas (choices: Record<string, Choice>): Fields {
  return Object.fromEntries(Object.entries(choices).map(([name, { values, description }]) =>
    [name, Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...values], description }))]))
}

function valuesOf (choices: Record<string, Choice>): Grammar['choices'] {
  return Object.fromEntries(Object.entries(choices).map(([name, { values }]) => [name, values]))
}

function selectionSchema (selectable: readonly string[]): TSchema {
  const name = `(${selectable.join('|')})`
  return Type.Optional(Type.String({ description: `Which fields to answer beside the id: some of ${selectable.join(', ')}, separated by commas.`, pattern: `^${name}(,${name})*$` }))
}
