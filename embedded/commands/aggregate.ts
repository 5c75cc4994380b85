import { serialize } from 'bson'
import { fieldsOf, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { cursorReply, type Command } from './command.js'
import { countSelected } from './count.js'

const countGroup = serialize({ _id: 1, n: { $sum: 1 } })

/** The one pipeline that countDocuments sends: [{ $match }, { $group: { _id: 1, n: { $sum: 1 } } }]. */
export const aggregate: Command = {
  fields: { pipeline: 'array', cursor: 'object' },
  unsupported: ['explain', 'allowDiskUse', 'bypassDocumentValidation', 'collation', 'hint', 'let'],
  run: async (request, { storage }) => {
    const namespace = request.namespace()
    const [match, group, other] = request.documents('pipeline').map(stageOf)
    if (!request.has('cursor')) throw new MongoError('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument")
    request.document('cursor')
    if (match?.name !== '$match') throw unsupportedStage(match)
    if (group?.name !== '$group' || other !== undefined) throw unsupportedStage(other ?? group)
    if (!group.value.equals(countGroup)) throw new MongoError('CommandNotSupported', 'The embedded store groups only to count')
    const n = await countSelected(new Collection(storage, namespace), parseFilter(match.value))
    return cursorReply(namespace, 0n, 'firstBatch', n === 0 ? [] : [Buffer.from(serialize({ _id: 1, n }))])
  }
}

function stageOf (stage: Buffer): Field {
  const [field, ...others] = fieldsOf(stage)
  if (field === undefined || others.length > 0) {
    throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  }
  return field
}

function unsupportedStage (stage: Field | undefined): MongoError {
  return new MongoError('Location40324', `Unrecognized pipeline stage name: '${stage?.name ?? ''}'. The embedded store serves countDocuments only`)
}
