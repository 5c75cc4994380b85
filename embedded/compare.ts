import { types, type Field } from './bson.js'
import { rankOf, valueKey } from './keys.js'

/** What a field that is missing counts as. */
export const nothing: Field = { name: '', type: types.null, value: Buffer.alloc(0) }

/** As MongoDB orders values of all types (reference/bson-type-comparison-order): below 0, 0 where they are equal, above 0. */
export function compareValues (a: Field, b: Field): number {
  const order = rankOf(a.type) - rankOf(b.type)
  if (order !== 0) return order
  const [left, right] = [plainNumber(a), plainNumber(b)]
  if (left !== undefined && right !== undefined) return left < right ? -1 : Number(left > right)
  if (isText(a) && isText(b)) return Buffer.compare(textBytes(a), textBytes(b))
  return Buffer.compare(valueKey(a), valueKey(b))
}

export function isText ({ type }: Field): boolean {
  return type === types.string || type === types.symbol
}

export function textBytes ({ value }: Field): Buffer {
  return value.subarray(4, -1)
}

/** A number that compares as JavaScript's do. */
function plainNumber ({ type, value }: Field): number | undefined {
  const number = type === types.double ? value.readDoubleLE() : type === types.int32 ? value.readInt32LE() : NaN
  return Number.isNaN(number) ? undefined : number
}
