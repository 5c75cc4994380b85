import { ObjectId, UUID } from 'bson'
import { CREATED } from './grammar.js'
import type { Condition, ListQuery } from './list-query.js'

/** A filter of MongoDB; nothing of its syntax ever comes from a request. */
export type Filter = Record<string, unknown>

/** The last second that an ObjectId can hold, in seconds since 1970. */
const LAST_SECOND = 0xffff_ffff

/** No record meets it. */
export const NONE: Filter = { _id: { $in: [] } }

/** The filter that all conditions together make; empty for none. */
export function toFilter (conditions: readonly Condition[], anyOf?: ListQuery['anyOf']): Filter {
  return allOf([...conditions.map(ofCondition), ...anyOf ? [{ $or: anyOf.map((each) => toFilter(each)) }] : []])
}

/** The filter that is met where all are. */
export function allOf (filters: readonly Filter[]): Filter {
  const given = filters.filter((filter) => Object.keys(filter).length > 0)
  const [first = {}, ...more] = given
  return more.length > 0 ? { $and: given } : first
}

function ofCondition (condition: Condition): Filter {
  const { field, kind, operator, value } = condition
  if (field === CREATED) return ofCreated(condition)
  if (kind === 'id') return ofId(condition)
  if (kind === 'text-id') return { _id: { [`$${operator}`]: value } }
  if (kind === 'uuid') return { _id: { [`$${operator}`]: Array.isArray(value) ? value.map(toUuid) : toUuid(value) } }
  switch (operator) {
    case 'prefix': return { [field]: prefixRange(String(value)) }
    case 'contains': return { [field]: { $regex: escaped(String(value)) } }
    case 'icontains': return { [field]: { $regex: escaped(String(value)), $options: 'i' } }
    case 'exists': return value === true ? isShown(condition) : { $nor: [isShown(condition)] }
    default: return { [field]: { [`$${operator}`]: value } }
  }
}

/** What answers show of the field: it is there, and of a type that fits. */
function isShown ({ field, kind, values }: Condition): Filter {
  return allOf([{ [field]: values ? { $in: values } : shownTypes(kind) }, { [field]: { $not: { $type: 'array' } } }])
}

function shownTypes (kind: Condition['kind']): object {
  switch (kind) {
    case 'boolean': return { $type: 'bool' }
    case 'date-time': return { $type: 'date' }
    case 'text': return { $type: ['string', 'symbol'] }
    // a number that is not finite is not shown
    default: return { $gte: -Number.MAX_VALUE, $lte: Number.MAX_VALUE }
  }
}

const toUuid = (value: unknown) => new UUID(String(value))

/** Code made by older versions of the tutorial has ids of text; those compare by a range with nothing. */
function ofId ({ operator, value }: Condition): Filter {
  const ids = [value].flat().map(String)
  if (operator === 'eq' || operator === 'in') return { _id: { $in: [...ids.map((id) => new ObjectId(id)), ...ids] } }
  return { _id: { [`$${operator}`]: new ObjectId(ids[0]) } }
}

/** An ObjectId begins with the second in which it was made. */
function ofCreated ({ operator, value }: Condition): Filter {
  const seconds = Number(value) / 1000 // of a Date
  const isUpTo = operator === 'gt' || operator === 'lte'
  const bound = isUpTo ? Math.floor(seconds) + 1 : Math.ceil(seconds)
  const isLower = operator === 'gt' || operator === 'gte'
  if (bound > LAST_SECOND) return isLower ? NONE : { _id: { $type: 'objectId' } }
  return { _id: { [isLower ? '$gte' : '$lt']: ObjectId.createFromHexString(Math.max(0, bound).toString(16).padStart(8, '0').padEnd(24, '0')) } }
}

/** Text that begins with this: up to the next text of its length, by code points. */
function prefixRange (prefix: string): object {
  const points = Array.from(prefix)
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) as number // there was one
    // between the last code point below the surrogates and the first one above there is nothing
    if (last < 0x10_ffff) return { $gte: prefix, $lt: points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1) }
  }
  return { $gte: prefix }
}

/** The text as a regular expression that finds it. */
function escaped (text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&').replaceAll('\0', '\\x00')
}
