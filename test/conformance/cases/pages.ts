import { Decimal128, type Document } from 'mongodb'
import type { Side } from '../side.js'
import { chance, one, texts } from '../values.js'
import { condition } from './filters.js'

export interface Pages {
  name: string
  by: Document
  field: string
  direction: 1 | -1
  length: number
  /** What has no place in it. */
  unsorted?: unknown
}

/** MongoDB's order of types: what stands after those of one. */
const classes = [['minKey'], ['null'], ['number'], ['string', 'symbol'], ['object'], ['binData'], ['objectId'], ['bool'], ['date'], ['timestamp'], ['regex'], ['javascript'], ['maxKey']]
/** As many as a page of these collections may need to come to its end. */
const maxPages = 60

/** What a list is asked for, beside its page. */
export function pageFilter (): Document {
  if (chance(0.4)) return {}
  if (chance(0.3)) return { name: { $gte: 'a', $lt: 'b' } }
  return chance(0.5) ? condition() : { n: { [one(['$gte', '$lt'])]: one<unknown>([0, 1, ...texts]) } }
}

/** A list page by page, each behind the last document of the one before, until there are no more. */
export async function pagesOf (side: Side, { name, by, field, direction, length, unsorted = 'array' }: Pages): Promise<unknown[]> {
  const seen: unknown[] = []
  const sort = new Map([[field, direction], ['_id', direction]])
  let behind: Document[] = []
  for (let page = 0; page < maxPages; page++) {
    const filter = { $and: [by, { [field]: { $not: { $type: unsorted } } }, ...behind] }
    const { cursor } = await side.command({ find: name, filter, sort, limit: length + 1, batchSize: length + 1, singleBatch: true })
    seen.push(cursor.firstBatch)
    const last = cursor.firstBatch[length - 1]
    if (cursor.firstBatch.length <= length) return seen
    behind = [{ $or: behindOf(field, direction, last) }]
  }
  return seen
}

function behindOf (field: string, direction: 1 | -1, last: Document): Document[] {
  const operator = direction === 1 ? '$gt' : '$lt'
  const value = last[field] ?? null
  const same = { [field]: { $eq: value }, _id: { [operator]: last._id } }
  const place = classes.findIndex(names => names.includes(typeOf(value)))
  const others = (direction === 1 ? classes.slice(place + 1) : classes.slice(0, place)).flat()
  const further: Document[] = others.length === 0 ? [] : others.includes('null') ? [{ [field]: { $type: others } }, { [field]: null }] : [{ [field]: { $type: others } }]
  return [...within(field, operator, value), ...further, same]
}

/** What is further on among the values of one type. NaN is below the other numbers, but no comparison says so. */
function within (field: string, operator: string, value: unknown): Document[] {
  const isNumber = typeOf(value) === 'number'
  if (isNumber && isNotANumber(value)) return operator === '$gt' ? [{ [field]: { $gte: -Infinity } }] : []
  if (['regex', 'minKey', 'maxKey'].includes(typeOf(value))) return []
  const further = { [field]: { [operator]: value } }
  return isNumber && operator === '$lt' ? [further, { [field]: NaN }] : [further]
}

function isNotANumber (value: unknown): boolean {
  return value instanceof Decimal128 ? value.toString() === 'NaN' : Number.isNaN(Number(value))
}

/** MongoDB's name of a value's type, that of all numbers being one. */
function typeOf (value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'bool'
  if (value instanceof Date) return 'date'
  if (value instanceof RegExp) return 'regex'
  const names: Record<string, string> = {
    Double: 'number',
    Int32: 'number',
    Long: 'number',
    Decimal128: 'number',
    Binary: 'binData',
    ObjectId: 'objectId',
    Timestamp: 'timestamp',
    BSONRegExp: 'regex',
    Code: 'javascript',
    MinKey: 'minKey',
    MaxKey: 'maxKey'
  }
  return names[(value as { _bsontype?: string })._bsontype ?? ''] ?? 'object'
}
