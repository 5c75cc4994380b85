import { fieldNamed, fieldsOf, types, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { filterOperators, servedKind, type Names } from './surface.js'

/** Which documents a filter means: those that meet all of it. */
export interface Selection {
  /** One of these `_id`s; any when missing. */
  ids?: Field[]
  conditions: Condition[]
}

/** A string that a field of the top level equals, or that one element of an array there equals; or that it does not. */
export interface Condition extends Field {
  negated?: true
}

/**
 * Takes {}, { _id: value | { $eq: value } | { $in: [values] } } and { field: string | { $eq: string } | { $nin: [strings] } },
 * together too; refuses everything else.
 */
export function parseFilter (filter: Buffer): Selection {
  const selection: Selection = { conditions: [] }
  for (const field of fieldsOf(filter)) {
    if (field.name.startsWith('$')) servedKind(filterOperators.top, field.name, 'BadValue', 'unknown top level operator')
    if (field.name !== '_id') selection.conditions.push(...parseConditions(field))
    else if (selection.ids === undefined) selection.ids = parseId(field)
    else throw new MongoError('CommandNotSupported', 'The embedded store takes one condition on _id')
  }
  return selection
}

export function matches (document: Buffer, conditions: Condition[]): boolean {
  return conditions.every(({ name, value, negated = false }) => meets(fieldNamed(document, name), value) !== negated)
}

function meets (field: Field | undefined, wanted: Buffer): boolean {
  if (field?.type === types.array) return fieldsOf(field.value).some(element => equalsText(element, wanted))
  return field !== undefined && equalsText(field, wanted)
}

/** A symbol is MongoDB's old kind of string, and equals one. */
function equalsText ({ type, value }: Field, wanted: Buffer): boolean {
  return (type === types.string || type === types.symbol) && value.equals(wanted)
}

function parseId (field: Field): Field[] {
  const operator = operatorOf(field, filterOperators.id)
  if (operator?.name !== '$in') return [comparable(operator ?? field)]
  return listed(operator)
}

/** The values of an $in or $nin. */
function listed ({ name, type, value }: Field): Field[] {
  if (type !== types.array) throw new MongoError('BadValue', `${name} needs an array`)
  return fieldsOf(value).map(field => inListed(name, field))
}

function parseConditions (field: Field): Condition[] {
  const operator = operatorOf(field, filterOperators.field)
  if (operator?.name !== '$nin') return [parseCondition(field.name, comparable(operator ?? field))]
  return listed(operator).map(value => ({ ...parseCondition(field.name, value), negated: true }))
}

function parseCondition (name: string, { type, value }: Field): Condition {
  if (type !== types.string || name.includes('.')) {
    throw new MongoError('CommandNotSupported', `The embedded store compares fields of the top level with strings only, not '${name}'`)
  }
  return { name, type, value }
}

/** The one operator of { $eq: value }, { $in: values } or { $nin: values }; undefined for a plain value. */
function operatorOf ({ type, value }: Field, names: Names): Field | undefined {
  const [operator, other] = type === types.object ? fieldsOf(value) : []
  if (operator === undefined || !operator.name.startsWith('$')) return
  for (const { name } of fieldsOf(value)) servedKind(names, name, 'BadValue', 'unknown operator')
  if (other !== undefined) throw new MongoError('CommandNotSupported', 'The embedded store takes one operator on a field')
  return operator
}

function inListed (operator: string, field: Field): Field {
  if (field.type === types.object && fieldsOf(field.value)[0]?.name.startsWith('$')) throw new MongoError('BadValue', `cannot nest $ under ${operator}`)
  return comparable(field)
}

function comparable (field: Field): Field {
  if (field.type === types.regex) throw new MongoError('CommandNotSupported', 'The embedded store does not match by regular expressions')
  if (field.type === types.undefined) throw new MongoError('BadValue', 'cannot compare to undefined')
  return field
}
