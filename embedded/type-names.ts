import { fieldsOf, text, types, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { numberOf } from './request.js'

/** MongoDB's names of types (reference/operator/query/type). */
const aliases = new Map<string, number[]>([
  ['double', [types.double]], ['string', [types.string]], ['object', [types.object]], ['array', [types.array]], ['binData', [types.binary]],
  ['undefined', [types.undefined]], ['objectId', [types.objectId]], ['bool', [types.boolean]], ['date', [types.date]], ['null', [types.null]],
  ['regex', [types.regex]], ['dbPointer', [types.dbPointer]], ['javascript', [types.code]], ['symbol', [types.symbol]],
  ['javascriptWithScope', [types.codeWithScope]], ['int', [types.int32]], ['timestamp', [types.timestamp]], ['long', [types.int64]],
  ['decimal', [types.decimal128]], ['minKey', [types.minKey]], ['maxKey', [types.maxKey]],
  ['number', [types.double, types.int32, types.int64, types.decimal128]]
])
const numeric: number[] = [types.double, types.int32, types.int64]
const known: number[] = Object.values(types)

/** The types that a $type names: one, or a list of them, each by name or number. */
export function typesNamed (operand: Field): number[] {
  const named = operand.type === types.array ? fieldsOf(operand.value) : [operand]
  if (named.length === 0) throw new MongoError('FailedToParse', '$type must match at least one type')
  return named.flatMap(typesOf)
}

function typesOf (field: Field): number[] {
  if (field.type === types.string) {
    const found = aliases.get(text(field.value))
    if (found === undefined) throw new MongoError('BadValue', `Unknown type name alias: ${text(field.value)}`)
    return found
  }
  if (!numeric.includes(field.type)) throw new MongoError('TypeMismatch', 'type must be represented as a number or a string')
  const code = field.type === types.double ? field.value.readDoubleLE() : numberOf(field)
  const type = code === -1 ? types.minKey : code
  // 255 is how BSON writes what MongoDB's number for is -1
  if (!known.includes(type) || code === types.minKey) throw new MongoError('BadValue', `Invalid numerical type code: ${code}`)
  return [type]
}
