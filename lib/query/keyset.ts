import { deserialize } from 'bson'
import { elementsOf, nameOf } from '../serialization/bson.js'
import { allOf, NONE, type Filter } from './filter.js'

/** A position in an order: what stands there under each key, as it is stored. The last key is `_id`, which no two documents share. */
export interface Position {
  key: string
  isDescending: boolean
  /** The number of the BSON type; 10, null, also where the field is missing. */
  type: number
  value: unknown
}

const [NULL, NUMBERS] = [10, [1, 16, 18, 19]]

/** The types of BSON in the order in which MongoDB sorts them; those of one class compare with each other. */
const CLASSES: readonly (readonly number[])[] = [
  [-1], [NULL], NUMBERS, [2, 14], [3], [5], [7], [8], [9], [17], [127]
]

/** Types that compare with nothing of their own kind: MinKey, null, MaxKey. */
const ALONE = new Set([-1, NULL, 127])

/** No list shows a record with an id of another type. */
const SHOWN_IDS = [2, 5, 7]

/** Arrays sort by one element and compare by any; expressions, code and pointers of old compare with nothing. */
const UNSORTABLE = [4, 11, 12, 13, 15]

/** A list that is sorted by a field leaves out what holds such a value there. */
export function isSortable (field: string): Filter {
  return { [field]: { $not: { $type: UNSORTABLE } } }
}

/** The elements of a document that an order looks at, as a document of their own. */
export function keysOf (bson: Buffer, keys: readonly string[]): Buffer {
  const parts = elementsOf(bson)
    .filter((element) => keys.includes(nameOf(bson, element)))
    .map(([, nameOffset, , offset, length]) => bson.subarray(nameOffset - 1, offset + length)) // with the type before the name
  const document = Buffer.concat([Buffer.alloc(4), ...parts, Buffer.alloc(1)])
  document.writeInt32LE(document.length)
  return document
}

/**
 * The position that such a document stands for; undefined for a document that no order can have. It may come from anybody.
 * @param order its keys, of which the last is `_id`
 */
export function positionsOf (document: Buffer, order: readonly Pick<Position, 'key' | 'isDescending'>[]): Position[] | undefined {
  try {
    const types = new Map(elementsOf(document).map((element) => [nameOf(document, element), element[0] === 255 ? -1 : element[0]]))
    const values = deserialize(document, { promoteValues: false, bsonRegExp: true })
    const positions = order.map(({ key, isDescending }) => ({ key, isDescending, type: types.get(key) ?? NULL, value: values[key] }))
    const isWhole = types.has('_id') && [...types.keys()].every((name) => order.some(({ key }) => key === name))
    return isWhole && positions.every(({ type }) => CLASSES.some((known) => known.includes(type))) ? positions : undefined
  } catch {
    return undefined
  }
}

/**
 * What comes after a position and meets a filter. The filter is part of each alternative: so each has its own bounds in an index, and a server merges them in the order of the list, where
 * it would otherwise begin at the start of the filter. MongoDB sorts values of all types, but `$gt` finds those of one class alone; null and a missing field
 * are one, and NaN is below all numbers but compares with none.
 */
export function after (positions: readonly Position[], filter: Filter): Filter {
  const alternatives = positions.flatMap((position, index) => {
    const before = Object.assign({}, ...positions.slice(0, index).map(same))
    return afterOne(position).map((beyond) => allOf([filter, { ...before, ...beyond }]))
  })
  const [only = NONE] = alternatives
  return alternatives.length > 1 ? { $or: alternatives } : only
}

function same ({ key, type, value }: Position): Filter {
  return { [key]: type === NULL ? null : { $eq: value } }
}

function afterOne ({ key, isDescending, type, value }: Position): Filter[] {
  const isNaN = NUMBERS.includes(type) && Number.isNaN(Number(value))
  const place = CLASSES.findIndex((types) => types.includes(type))
  const classes = isDescending ? CLASSES.slice(0, place) : CLASSES.slice(place + 1)
  const isShown = (other: number) => key !== '_id' || SHOWN_IDS.includes(other)
  const types = classes.flat().filter((other) => other !== NULL && isShown(other))
  return [
    ...ALONE.has(type) || isNaN ? [] : [{ [key]: { [isDescending ? '$lt' : '$gt']: value } }],
    // -Infinity is the least number that compares with others
    ...isNaN && !isDescending ? [{ [key]: { $gte: -Infinity } }] : [],
    ...NUMBERS.includes(type) && isDescending && !isNaN ? [{ [key]: NaN }] : [],
    ...types.length > 0 ? [{ [key]: { $type: types } }] : [],
    ...isShown(NULL) && classes.some((of) => of.includes(NULL)) ? [{ [key]: null }] : []
  ]
}
