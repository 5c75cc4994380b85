import { fieldNamed, fieldsOf, types, type Field } from './bson.js'
import { nothing } from './compare.js'
import { comparison, existence, oneOf, ofTypes, textTest, type Test } from './conditions.js'
import { MongoError } from './errors.js'
import { textOfPattern } from './literal.js'
import { filterOperators, servedKind } from './surface.js'
import { typesNamed } from './type-names.js'

/** A condition on a document, as a tree. */
export type Filter =
  | { kind: 'all' | 'any', of: Filter[] }
  | { kind: 'not', of: Filter }
  | { kind: 'test', field: string, test: Test }

/** Which documents a filter means: those that meet all of it. */
export interface Selection {
  filter: Filter
  /** One of these `_id`s; any when missing. */
  ids?: Field[] | undefined
}

/** Every document. */
export const everything: Selection = { filter: { kind: 'all', of: [] } }

/** Takes what surface.ts lists, on `_id` and on fields of the top level, and refuses everything else. */
export function parseFilter (filter: Buffer): Selection {
  const parsed = parse(filter)
  return { filter: parsed, ids: idsOf(parsed) }
}

/** `{ $and: [...] }` has the meaning of its members side by side, so they are taken apart. */
export function conjuncts (filter: Filter): Filter[] {
  return filter.kind === 'all' ? filter.of.flatMap(conjuncts) : [filter]
}

export function matches (document: Buffer, filter: Filter): boolean {
  switch (filter.kind) {
    case 'all':
      return filter.of.every(one => matches(document, one))
    case 'any':
      return filter.of.some(one => matches(document, one))
    case 'not':
      return !matches(document, filter.of)
    case 'test':
      return filter.test.meets(fieldNamed(document, filter.field))
  }
}

function parse (filter: Buffer): Filter {
  return all(fieldsOf(filter).map(field => {
    if (field.name.startsWith('$')) return parseLogical(field)
    if (field.name.includes('.')) throw new MongoError('CommandNotSupported', `The embedded store compares fields of the top level only, not '${field.name}'`)
    return parseField(field)
  }))
}

function all (of: Filter[]): Filter {
  const [first, second] = of
  return first !== undefined && second === undefined ? first : { kind: 'all', of }
}

/** { $and: [...] }, { $or: [...] } and { $nor: [...] } */
function parseLogical ({ name, type, value }: Field): Filter {
  servedKind(filterOperators.top, name, 'BadValue', 'unknown top level operator')
  const members = type === types.array ? fieldsOf(value) : []
  if (members.length === 0) throw new MongoError('BadValue', `${name} argument must be a non-empty array`)
  const of = members.map(member => {
    if (member.type !== types.object) throw new MongoError('BadValue', `${name} argument's entries must be objects`)
    return parse(member.value)
  })
  if (name === '$and') return all(of)
  return name === '$or' ? { kind: 'any', of } : { kind: 'not', of: { kind: 'any', of } }
}

function parseField (field: Field): Filter {
  const { name, type, value } = field
  const [first] = type === types.object ? fieldsOf(value) : []
  if (first?.name.startsWith('$')) return parseOperators(name, value)
  if (type === types.regex) throw unsupportedPattern()
  return { kind: 'test', field: name, test: comparison('$eq', field) }
}

/** { $gt: 1, $lt: 2 } on a field */
function parseOperators (field: string, operators: Buffer): Filter {
  const given = fieldsOf(operators)
  for (const { name } of given) servedKind(field === '_id' ? filterOperators.id : filterOperators.field, name, 'BadValue', 'unknown operator')
  const options = given.find(({ name }) => name === '$options')
  if (options !== undefined && !given.some(({ name }) => name === '$regex')) throw new MongoError('BadValue', '$options needs a $regex')
  return all(given.filter(operator => operator !== options).map(operator => parseOperator(field, operator, options)))
}

function parseOperator (field: string, operator: Field, options: Field | undefined): Filter {
  const test = (test: Test): Filter => ({ kind: 'test', field, test })
  switch (operator.name) {
    case '$ne':
      if (operator.type === types.regex) throw new MongoError('BadValue', "Can't have regex as arg to $ne.")
      return { kind: 'not', of: test(comparison('$eq', operator)) }
    case '$in':
      return test(oneOf(listed(operator)))
    case '$nin':
      return { kind: 'not', of: test(oneOf(listed(operator))) }
    case '$exists':
      return isTrue(operator) ? test(existence) : { kind: 'not', of: test(existence) }
    case '$type':
      return test(ofTypes(typesNamed(operator)))
    case '$not':
      return { kind: 'not', of: parseNegated(field, operator) }
    case '$regex':
      return test(textTest(textOfPattern(operator), operator, options))
    default:
      return test(comparison(operator.name, operator))
  }
}

function parseNegated (field: string, { type, value }: Field): Filter {
  if (type === types.regex) throw unsupportedPattern()
  if (type !== types.object || fieldsOf(value).length === 0) throw new MongoError('BadValue', '$not argument must be a non-empty object')
  return parseOperators(field, value)
}

/** The values of an $in or $nin. */
function listed ({ name, type, value }: Field): Field[] {
  if (type !== types.array) throw new MongoError('BadValue', `${name} needs an array`)
  return fieldsOf(value).map(field => {
    if (field.type === types.regex) throw unsupportedPattern()
    if (field.type === types.object && fieldsOf(field.value)[0]?.name.startsWith('$')) throw new MongoError('BadValue', `cannot nest $ under ${name}`)
    return field
  })
}

/** As MongoDB takes a value for a flag: what is neither false, 0, null nor undefined. */
function isTrue ({ type, value }: Field): boolean {
  if (type === types.null || type === types.undefined) return false
  const isNumeric = [types.boolean, types.double, types.int32, types.int64].some(one => one === type)
  // no bit is set in a zero but the sign of -0.0
  return !isNumeric || value.some((byte, at) => byte !== 0 && !(type === types.double && at === 7 && byte === 0x80))
}

/** The `_id`s that the filter names. */
function idsOf (filter: Filter): Field[] | undefined {
  for (const one of conjuncts(filter)) {
    if (one.kind === 'test' && one.field === '_id' && one.test.equals !== undefined) return one.test.equals
  }
  return undefined
}

/** What a document that an upsert makes has of its filter: the fields that equal one value. */
export function equalities (filter: Filter): Field[] {
  return conjuncts(filter).flatMap(one => {
    if (one.kind === 'any' || (one.kind === 'not' && one.of.kind === 'any')) throw new MongoError('CommandNotSupported', 'The embedded store does not upsert by $or or $nor')
    const [value = nothing] = one.kind === 'test' && one.test.operator === '$eq' ? one.test.values : []
    return value === nothing || one.kind !== 'test' ? [] : [{ ...value, name: one.field }]
  })
}

function unsupportedPattern (): MongoError {
  return new MongoError('CommandNotSupported', 'The embedded store matches by $regex only')
}
