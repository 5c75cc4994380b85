import { documentOf, fieldsOf, maxDocumentBytes, types, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { increment, isNumber } from './increment.js'
import { documentKey } from './keys.js'
import { servedKind, updateOperators } from './surface.js'

interface Change {
  operator: string
  operand: Field
}

/** What happens to fields of the top level, by name. */
export type Update = Map<string, Change>

/** Takes { $set: { field: value, ... }, $setOnInsert: { ... }, $inc: { field: number, ... } } with fields of the top level. */
export function parseUpdate (update: Field): Update {
  if (update.type === types.array) throw new MongoError('CommandNotSupported', 'The embedded store does not support updates by a pipeline')
  if (update.type !== types.object) throw new MongoError('FailedToParse', 'Update argument must be either an object or an array')
  const modifiers = fieldsOf(update.value)
  if (!modifiers[0]?.name.startsWith('$')) throw new MongoError('CommandNotSupported', 'The embedded store does not replace documents')
  const changes: Update = new Map()
  for (const { name: operator, type, value } of modifiers) {
    servedKind(updateOperators, operator, 'FailedToParse', 'Unknown modifier, expected a valid update modifier')
    if (type !== types.object) throw new MongoError('FailedToParse', 'Modifiers operate on fields but we found another type instead')
    for (const operand of fieldsOf(value)) addChange(changes, operator, operand)
  }
  return changes
}

function addChange (changes: Update, operator: string, operand: Field): void {
  const { name } = operand
  if (name === '') throw new MongoError('EmptyFieldName', 'An empty update path is not valid.')
  if (name.startsWith('$')) {
    throw new MongoError('DollarPrefixedFieldName', `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update`)
  }
  if (name.includes('.')) throw new MongoError('CommandNotSupported', `The embedded store changes fields of the top level only, not '${name}'`)
  if (changes.has(name)) throw new MongoError('ConflictingUpdateOperators', `Updating the path '${name}' would create a conflict at '${name}'`)
  if (operator === '$inc' && !isNumber(operand)) throw new MongoError('TypeMismatch', `Cannot increment with non-numeric argument: {${name}}`)
  changes.set(name, { operator, operand })
}

/**
 * The changed document, or undefined when nothing changes. Bytes are carried over, so every BSON type stays as it came.
 * `$setOnInsert` counts for a document that is new.
 */
export function applyUpdate (document: Buffer, update: Update, isNew = false): Buffer | undefined {
  const changes = new Map([...update].filter(([, { operator }]) => isNew || operator !== '$setOnInsert'))
  const fields = fieldsOf(document)
  const changed = fields.map(field => changedField(field, changes.get(field.name)))
  for (const { name } of fields) changes.delete(name)
  // MongoDB appends new fields in lexicographic order, those with numeric names in numeric order (reference/operator/update/set).
  const added = [...changes.values()].map(({ operand }) => operand).sort(inUpdateOrder)
  if (added.length === 0 && changed.every((field, index) => field === fields[index])) return
  const result = documentOf([...changed, ...added])
  if (result.length > maxDocumentBytes) throw new MongoError('Location17419', `Resulting document after update is larger than ${maxDocumentBytes}`)
  return result
}

function changedField (field: Field, change: Change | undefined): Field {
  if (change === undefined) return field
  const changed = change.operator === '$inc' ? increment(field, change.operand) : change.operand
  if (field.name === '_id') return sameId(field, changed)
  return field.type === changed.type && field.value.equals(changed.value) ? field : changed
}

function sameId (field: Field, change: Field): Field {
  const none = Buffer.alloc(0)
  if (documentKey(none, field).equals(documentKey(none, change))) return field
  throw new MongoError('ImmutableField', "Performing an update on the path '_id' would modify the immutable field '_id'")
}

function inUpdateOrder (a: Field, b: Field): number {
  const numeric = /^\d+$/
  if (numeric.test(a.name) && numeric.test(b.name)) return Number(a.name) - Number(b.name)
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
}
