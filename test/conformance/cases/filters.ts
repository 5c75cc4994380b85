import { BSONRegExp, Int32, Long, type Document } from 'mongodb'
import { chance, id, number, one, some, texts, upTo, value } from '../values.js'

const names = ['name', 'type', 'n', 'tags', 'extra', 'missing']

const typeNames = ['double', 'string', 'object', 'array', 'binData', 'objectId', 'bool', 'date', 'null', 'regex', 'javascript', 'int', 'timestamp', 'long', 'decimal',
  'minKey', 'maxKey', 'number']
const typeNumbers = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 16, 17, 18, 19, -1, 127]

/** A filter that the surface has, on documents of the shared collections. */
export function filter (depth = 2): Document {
  if (depth > 0 && chance(0.25)) return { [one(['$and', '$or', '$nor'])]: Array.from({ length: 1 + upTo(2) }, () => filter(depth - 1)), ...chance(0.3) && condition() }
  if (chance(0.25)) return idFilter()
  return { ...chance(0.2) && idFilter(), ...condition(), ...chance(0.2) && condition() }
}

export function idFilter (): Document {
  const kind = upTo(7)
  if (kind === 0) return { _id: id() }
  if (kind === 1) return { _id: { $eq: id() } }
  if (kind < 6) return { _id: operators(id) }
  return { _id: { $in: Array.from({ length: upTo(5) }, id) } }
}

/** What is asked of one field. */
export function condition (): Document {
  const name = one(names)
  if (chance(0.3)) return { [name]: chance(0.5) ? one(texts) : comparable(operand) }
  return { [name]: operators(operand) }
}

/** One field, or the `_id`, by operators. */
export function operated (): Document {
  return chance(0.5) ? { _id: operators(id) } : { [one(names)]: operators(operand) }
}

function operators (make: () => unknown): Document {
  const pairs: Document = chance(0.3) ? { [one(['$gt', '$gte'])]: comparable(make), [one(['$lt', '$lte'])]: comparable(make) } : {}
  if (chance(0.25)) return chance(0.6) ? { ...pairs, ...text() } : { $not: chance(0.5) ? { $type: types() } : { ...text(), ...pairs } }
  // what leaves out arrays can be answered by an index alone
  return { ...pairs, ...chance(0.3) && { $not: { $type: 'array' } }, ...operator(make) }
}

function operator (make: () => unknown): Document {
  const kind = one(['$eq', '$ne', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$nin', '$exists', '$exists', '$type', '$not'])
  if (kind === '$exists') return { $exists: one([true, false, 1, 0, new Int32(1), Long.fromNumber(0), null, 'x']) }
  if (kind === '$type') return { $type: types() }
  if (kind === '$not') return { $not: operator(make) }
  if (kind === '$in' || kind === '$nin') return { [kind]: Array.from({ length: upTo(4) }, () => comparable(make)) }
  return { [kind]: kind === '$eq' ? make() : comparable(make) }
}

/** Lists of types name each once. */
function types (): unknown {
  // which a missing field does not have, though an index has it there
  if (chance(0.2)) return one<unknown>(['null', 10, ['null', 'bool']])
  if (chance(0.5)) return one<unknown>([...typeNames, ...typeNumbers])
  return chance(0.5) ? some(typeNames, 1, 4) : some(typeNumbers, 1, 3)
}

/** Escaped text, as it is looked for. */
function text (): Document {
  const $regex = one(['a', 'A', 'b', 'ab', 'É', 'é', '\\$a', 'B', '', '\\.', 'a\\*'])
  return { $regex, ...chance(0.6) && { $options: one(['i', 'i', '']) } }
}

function operand (): unknown {
  return one([() => one(texts), number, () => value(1), () => null])()
}

/** An expression compares with nothing. */
function comparable (make: () => unknown): unknown {
  const made = make()
  return made instanceof BSONRegExp ? 'a' : made
}
