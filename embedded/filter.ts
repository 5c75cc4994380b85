import { fieldsOf, types, type Field } from './bson.js'
import { MongoError } from './errors.js'

/** Which documents a filter means: all, or those with one of these `_id`s. */
export type Selection = 'all' | Field[]

const operators = ['$ne', '$gt', '$gte', '$lt', '$lte', '$nin', '$exists', '$type', '$not', '$regex', '$options', '$mod', '$all', '$size', '$elemMatch',
  '$and', '$or', '$nor', '$expr', '$where', '$text', '$jsonSchema', '$comment', '$ref', '$id', '$db', '$alwaysTrue', '$alwaysFalse']

/** Takes {} and { _id: value | { $eq: value } | { $in: [values] } }; refuses everything else. */
export function parseFilter (filter: Buffer): Selection {
  const [field, ...others] = fieldsOf(filter)
  if (field === undefined) return 'all'
  if (field.name.startsWith('$')) throw unsupportedOperator('top level operator', field.name)
  if (field.name !== '_id' || others.length > 0) {
    throw new MongoError('CommandNotSupported', 'The embedded store finds documents by _id only')
  }
  return parseId(field)
}

function parseId (field: Field): Field[] {
  if (field.type !== types.object) return [comparable(field)]
  const [operator, other] = fieldsOf(field.value)
  if (operator === undefined || !operator.name.startsWith('$')) return [field]
  if (other !== undefined) throw unsupportedOperator('operator', other.name)
  if (operator.name === '$eq') return [comparable(operator)]
  if (operator.name !== '$in') throw unsupportedOperator('operator', operator.name)
  if (operator.type !== types.array) throw new MongoError('BadValue', '$in needs an array')
  return fieldsOf(operator.value).map(inListed)
}

function inListed (field: Field): Field {
  if (field.type === types.object && fieldsOf(field.value)[0]?.name.startsWith('$')) throw new MongoError('BadValue', 'cannot nest $ under $in')
  return comparable(field)
}

function comparable (field: Field): Field {
  if (field.type === types.regex) throw new MongoError('CommandNotSupported', 'The embedded store does not match by regular expressions')
  if (field.type === types.undefined) throw new MongoError('BadValue', 'cannot compare to undefined')
  return field
}

function unsupportedOperator (kind: string, name: string): MongoError {
  return operators.includes(name)
    ? new MongoError('CommandNotSupported', `The embedded store does not support ${name}`)
    : new MongoError('BadValue', `unknown ${kind}: ${name}`)
}
