import { fieldsOf, types, type Field } from './bson.js'
import { compareValues, isText, nothing, textBytes } from './compare.js'
import { MongoError } from './errors.js'
import { rankOf, valueKey } from './keys.js'

/** What is asked of one field, without what negates it. */
export interface Test {
  operator: string
  /** What the field is compared with. */
  values: Field[]
  /** Types that it may have. */
  types: number[]
  /** The values that it has to equal one of, where that is what is asked. */
  equals?: Field[]
  meets (field: Field | undefined): boolean
}

/** To compare a value with so many is cheaper than to make its key. */
const fewValues = 8

type Order = (order: number) => boolean

const orders: Record<string, Order> = {
  $eq: order => order === 0,
  $gt: order => order > 0,
  $gte: order => order >= 0,
  $lt: order => order < 0,
  $lte: order => order <= 0
}

/** $eq, $gt, $gte, $lt and $lte. */
export function comparison (operator: string, value: Field): Test {
  if (value.type === types.undefined) throw new MongoError('BadValue', 'cannot compare to undefined')
  if (operator !== '$eq' && value.type === types.regex) throw new MongoError('BadValue', "Can't have RegEx as arg to non-equality predicate")
  const meets = anyOf(one => compares(operator, one, value))
  const test = { operator, values: [value], types: [], meets: (field: Field | undefined) => meets(field ?? nothing) }
  return operator === '$eq' ? { ...test, equals: [value] } : test
}

/** $in */
export function oneOf (values: Field[]): Test {
  const tests = values.map(value => comparison('$eq', value))
  const meets = values.length <= fewValues ? (field: Field | undefined) => tests.some(({ meets }) => meets(field)) : amongMany(values)
  return { operator: '$in', values, types: [], equals: values, meets }
}

/** Equal values have equal keys. */
function amongMany (values: Field[]): Test['meets'] {
  const textOf = (value: Field) => valueKey(value).toString('latin1')
  const keys = new Set(values.map(textOf))
  const meets = anyOf(value => keys.has(textOf(value)))
  return field => meets(field ?? nothing)
}

/** $exists: true */
export const existence: Test = { operator: '$exists', values: [], types: [], meets: field => field !== undefined }

/** $type */
export function ofTypes (wanted: number[]): Test {
  return { operator: '$type', values: [], types: wanted, meets: anyOf(({ type }) => wanted.includes(type)) }
}

/** $regex: text that has this one in it, or the same expression. `i` leaves out of account what is upper and lower case. */
export function textTest (wanted: string, { value: pattern }: Field, options: Field | undefined): Test {
  if (options !== undefined && options.type !== types.string) throw new MongoError('BadValue', '$options has to be a string')
  const flags = options === undefined ? '' : textBytes(options).toString()
  if (flags !== '' && flags !== 'i') throw new MongoError('CommandNotSupported', `The embedded store does not serve the $options '${flags}'`)
  const stored = Buffer.concat([pattern.subarray(4), Buffer.from(`${flags}\0`)])
  const bytes = Buffer.from(wanted)
  const folded = new RegExp(wanted.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu')
  const holds = flags === '' ? (text: Buffer) => text.includes(bytes) : (text: Buffer) => folded.test(text.toString())
  const meets = anyOf(one => isText(one) ? holds(textBytes(one)) : one.type === types.regex && one.value.equals(stored))
  return { operator: '$regex', values: [], types: [types.string, types.symbol, types.regex], meets }
}

/** An array meets what one of its elements does, or itself as a whole. */
function anyOf (holds: (value: Field) => boolean): (field: Field | undefined) => boolean {
  return field => field !== undefined && (holds(field) || (field.type === types.array && fieldsOf(field.value).some(holds)))
}

/** Values compare within their type; MinKey and MaxKey with all. NaN is neither below nor above anything. */
function compares (operator: string, value: Field, wanted: Field): boolean {
  const isWithin = rankOf(value.type) === rankOf(wanted.type) || isLimit(operator, wanted)
  if (!isWithin) return false
  const order = compareValues(value, wanted)
  return order !== 0 && isNumber(wanted) && (isNaN(value) || isNaN(wanted)) ? false : orders[operator]?.(order) === true
}

/** Whether all values of other types are above or below this one, and asked for. */
export function isLimit (operator: string, { type }: Field): boolean {
  return (type === types.minKey && operator.startsWith('$gt')) || (type === types.maxKey && operator.startsWith('$lt'))
}

export function isNumber ({ type }: Field): boolean {
  return rankOf(type) === rankOf(types.double)
}

/** Of a double or a decimal. */
function isNaN ({ type, value }: Field): boolean {
  if (type === types.double) return Number.isNaN(value.readDoubleLE())
  return type === types.decimal128 && (value.readUInt8(15) & 0x7c) === 0x7c
}
