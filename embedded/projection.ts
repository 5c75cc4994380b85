import { fieldsOf, keep, types, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { numberOf } from './request.js'

/** Makes of a stored document what is asked for of it. */
export type Project = (document: Buffer) => Buffer

/** Takes { field: 1 } for fields of the top level; `_id` is always among them. Undefined for a projection of everything. */
export function parseProjection (projection: Buffer): Project | undefined {
  const fields = fieldsOf(projection)
  if (fields.length === 0) return undefined
  const names = ['_id', ...fields.map(includedName)]
  const distinct = [...new Set(names)].map(name => Buffer.from(`${name}\0`))
  return document => keep(document, distinct)
}

function includedName (field: Field): string {
  const { name, type, value } = field
  const numbers: number[] = [types.double, types.int32, types.int64]
  const included = type === types.boolean ? value[0] === 1 : numbers.includes(type) && numberOf(field) === 1
  if (included && name !== '' && !name.includes('.') && !name.startsWith('$')) return name
  throw new MongoError('CommandNotSupported', `The embedded store projects to fields of the top level only, each as 1, and not to '${name}'`)
}
