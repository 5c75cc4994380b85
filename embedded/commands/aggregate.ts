import { serialize } from 'bson'
import { fieldsOf, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError } from '../errors.js'
import { parseFilter } from '../filter.js'
import { stages } from '../surface.js'
import { cursorReply, type Run } from './command.js'
import { countSelected } from './count.js'

const countGroup = serialize({ _id: 1, n: { $sum: 1 } })

/** The one pipeline that countDocuments sends: [{ $match }, { $group: { _id: 1, n: { $sum: 1 } } }]. */
export const aggregate: Run = async (request, { storage }) => {
  const namespace = request.namespace()
  const pipeline = request.documents('pipeline').map(stageOf)
  if (!request.has('cursor')) throw new MongoError('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument")
  for (const [place, { name }] of pipeline.entries()) if (name !== stages[place]) throw unsupportedStage(name)
  const [match, group] = pipeline
  if (match === undefined || group === undefined) throw unsupportedStage('')
  if (!group.value.equals(countGroup)) throw new MongoError('CommandNotSupported', 'The embedded store groups only to count')
  const n = await countSelected(new Collection(storage, namespace), parseFilter(match.value))
  return cursorReply(namespace, 0n, 'firstBatch', n === 0 ? [] : [Buffer.from(serialize({ _id: 1, n }))])
}

function stageOf (stage: Buffer): Field {
  const [field, ...others] = fieldsOf(stage)
  if (field === undefined || others.length > 0) {
    throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  }
  return field
}

function unsupportedStage (name: string): MongoError {
  return new MongoError('Location40324', `Unrecognized pipeline stage name: '${name}'. The embedded store serves countDocuments only`)
}
