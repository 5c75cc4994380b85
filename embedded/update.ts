import { documentOf, fieldsOf, maxDocumentBytes, types, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { documentKey } from './keys.js'

const operators = ['$inc', '$min', '$max', '$mul', '$rename', '$setOnInsert', '$unset', '$currentDate', '$addToSet', '$pop', '$pull', '$push', '$pullAll', '$bit']

/** New values by field name. */
export type Changes = Map<string, Field>

/** Takes { $set: { field: value, ... } } with fields of the top level. */
export function parseUpdate (update: Field): Changes {
  if (update.type !== types.object) throw new MongoError('CommandNotSupported', 'The embedded store does not support updates by a pipeline')
  const [operator, ...others] = fieldsOf(update.value)
  if (operator === undefined || !operator.name.startsWith('$')) {
    throw new MongoError('CommandNotSupported', 'The embedded store does not replace documents')
  }
  for (const { name } of [operator, ...others]) refuseOperator(name)
  if (others.length > 0) throw new MongoError('FailedToParse', 'An update names $set twice')
  if (operator.type !== types.object) throw new MongoError('FailedToParse', 'Modifiers operate on fields but we found another type instead')
  return changesOf(operator.value)
}

function refuseOperator (name: string): void {
  if (name === '$set') return
  if (operators.includes(name)) throw new MongoError('CommandNotSupported', `The embedded store does not support ${name}`)
  throw new MongoError('FailedToParse', `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`)
}

function changesOf (set: Buffer): Changes {
  const changes: Changes = new Map()
  for (const field of fieldsOf(set)) {
    const { name } = field
    if (name === '') throw new MongoError('EmptyFieldName', 'An empty update path is not valid.')
    if (name.startsWith('$')) {
      throw new MongoError('DollarPrefixedFieldName', `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update`)
    }
    if (name.includes('.')) throw new MongoError('CommandNotSupported', `The embedded store sets fields of the top level only, not '${name}'`)
    if (changes.has(name)) throw new MongoError('ConflictingUpdateOperators', `Updating the path '${name}' would create a conflict at '${name}'`)
    changes.set(name, field)
  }
  return changes
}

/** The changed document, or undefined when nothing changes. Bytes are carried over, so every BSON type stays as it came. */
export function applyChanges (document: Buffer, changes: Changes): Buffer | undefined {
  const fields = fieldsOf(document)
  const stored = new Set(fields.map(field => field.name))
  // MongoDB appends new fields in lexicographic order, those with numeric names in numeric order (reference/operator/update/set).
  const added = [...changes.values()].filter(field => !stored.has(field.name)).sort(inUpdateOrder)
  const changed = fields.map(field => changedField(field, changes.get(field.name)))
  if (added.length === 0 && changed.every((field, index) => field === fields[index])) return
  const result = documentOf([...changed, ...added])
  if (result.length > maxDocumentBytes) throw new MongoError('Location17419', `Resulting document after update is larger than ${maxDocumentBytes}`)
  return result
}

function changedField (field: Field, change: Field | undefined): Field {
  if (change === undefined) return field
  if (field.name === '_id') return sameId(field, change)
  return field.type === change.type && field.value.equals(change.value) ? field : change
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
