import { types, type Field } from './bson.js'
import { isLimit, isNumber, type Test } from './conditions.js'
import { nothing } from './compare.js'
import { conjuncts, type Filter } from './filter.js'
import { idKey, rankOf, valueKey } from './keys.js'
import { after, common, outside, pointAt, united, wholeRange, type Range } from './ranges.js'

/**
 * Where the documents that a filter selects have their keys, if keys are made of one field's values: no other place has one. An array is taken to
 * have its key at the rank of arrays, whatever is in it.
 */
export interface Bounds {
  ranges: Range[]
  /** Whether all keys there, but for those of arrays, are of documents that it selects. */
  isExact: boolean
}

/** The keys that a table or an index has. */
export interface KeySpace {
  field: string
  keyOf (value: Field): Buffer
  /** The keys of arrays, where there are any. */
  arrays: Range[]
}

export const arrays = ofRank(rankOf(types.array))

/** `_id`s, which stand in the main table, and behind the values of an index; none is an array. */
export const idSpace: KeySpace = { field: '_id', keyOf: idKey, arrays: [] }

export function indexSpace (field: string): KeySpace {
  return { field, keyOf: valueKey, arrays: [arrays] }
}

const anywhere: Bounds = { ranges: [wholeRange], isExact: false }

export function boundsOf (filter: Filter, space: KeySpace): Bounds {
  switch (filter.kind) {
    case 'all':
      return boundsOfAll(conjuncts(filter), space)
    case 'any': {
      const parts = filter.of.map(one => boundsOf(one, space))
      return { ranges: united(parts.flatMap(({ ranges }) => ranges)), isExact: parts.every(({ isExact }) => isExact) }
    }
    case 'not':
      return boundsOfNot(filter.of, space)
    case 'test':
      return filter.field === space.field ? boundsOfTest(filter.test, space) : anywhere
  }
}

function boundsOfAll (of: Filter[], space: KeySpace): Bounds {
  const parts = of.map(one => boundsOf(one, space))
  const isExact = parts.every(part => part.isExact)
  const ranges = parts.reduce((ranges, part) => common(ranges, part.ranges), [wholeRange])
  const byId = of.filter(one => one.kind === 'test' && one.field === idSpace.field)
  if (space === idSpace || byId.length === 0) return { ranges, isExact }
  // where the value is one, the ids behind it are in order
  const { ranges: ids } = boundsOfAll(byId, idSpace)
  return { ranges: ranges.flatMap(range => range.isPoint === true ? ids.map(id => behind(range.start, id)) : [range]), isExact: false }
}

function behind (value: Buffer, { start, end }: Range): Range {
  return { start: Buffer.concat([value, start]), end: Buffer.concat([value, end]) }
}

/** An array may meet both a condition and its opposite, unless the condition is a list of types with arrays among them. */
function boundsOfNot (filter: Filter, space: KeySpace): Bounds {
  const { ranges, isExact } = boundsOf(filter, space)
  const isOfArrays = filter.kind === 'test' && filter.field === space.field && filter.test.types.includes(types.array)
  if (!isExact) return isOfArrays ? { ranges: outside([arrays]), isExact } : anywhere
  return { ranges: isOfArrays ? outside(ranges) : united([...outside(ranges), ...space.arrays]), isExact }
}

function boundsOfTest (test: Test, { keyOf, arrays }: KeySpace): Bounds {
  const { operator, values, equals, types: wanted } = test
  if (operator === '$exists') return anywhere
  if (equals !== undefined) return { ranges: united([...equals.flatMap(value => equalTo(value, keyOf)), ...arrays]), isExact: true }
  const [value] = values
  if (operator === '$regex') return { ...ofTypes(wanted, arrays), isExact: false }
  if (value === undefined) return ofTypes(wanted, arrays)
  if (isLimit(operator, value)) return anywhere
  return { ranges: united([...compared(operator, value, keyOf), ...arrays]), isExact: true }
}

function equalTo (value: Field, keyOf: KeySpace['keyOf']): Range[] {
  return value.type === types.array ? [] : [pointAt(keyOf(value))]
}

/** Of the values of one rank those above, below, or equal. NaN, the first of the numbers, is neither above nor below another. */
function compared (operator: string, value: Field, keyOf: KeySpace['keyOf']): Range[] {
  const rank = ofRank(rankOf(value.type))
  const key = keyOf(value)
  const first = isNumber(value) ? after(keyOf(notANumber)) : rank.start
  const isNotANumber = isNumber(value) && key.equals(keyOf(notANumber))
  const others = operator.startsWith('$gt') ? { start: after(key), end: rank.end } : { start: first, end: key }
  return [...operator.endsWith('e') ? equalTo(value, keyOf) : [], ...isNotANumber ? [] : [others]]
}

/** A rank may have more types than are asked for, and that of null has what is missing. */
function ofTypes (wanted: number[], arrays: Range[]): Bounds {
  const ranks = [...new Set(wanted.map(rankOf))]
  const isWhole = ranks.every(rank => rank !== rankOf(nothing.type) && Object.values(types).every(type => rankOf(type) !== rank || wanted.includes(type)))
  return { ranges: united([...ranks.map(ofRank), ...arrays]), isExact: isWhole }
}

function ofRank (rank: number): Range {
  return { start: Buffer.of(rank), end: Buffer.of(rank + 1) }
}

const notANumber: Field = { name: '', type: types.double, value: Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]) }
