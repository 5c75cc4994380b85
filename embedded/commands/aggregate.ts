import { serialize } from 'bson'
import { fieldsOf, text, types, type Field } from '../bson.js'
import { Collection } from '../collection.js'
import { MongoError, type CodeName } from '../errors.js'
import { parseFilter } from '../filter.js'
import { pipelines } from '../surface.js'
import { cursorReply, type Run } from './command.js'
import { countSelected } from './count.js'

const countGroup = serialize({ _id: 1, n: { $sum: 1 } })

/** What each stage that counts makes of the number; MongoDB counts no documents with no document. */
type Shape = (n: number) => object

/** [{ $match }, { $group: { _id: 1, n: { $sum: 1 } } }], which drivers send for countDocuments, and [{ $match }, { $limit }, { $count }], the $limit optional. */
export const aggregate: Run = async (request, { storage }) => {
  const namespace = request.namespace()
  const pipeline = request.documents('pipeline').map(stageOf)
  if (!request.has('cursor')) throw new MongoError('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument")
  const [match, ...others] = pipeline
  const limit = others[0]?.name === '$limit' ? others.shift() : undefined
  const [last, another] = others
  if (match?.name !== '$match') throw unsupported(match)
  if (last === undefined || another !== undefined) throw unsupported(another ?? limit)
  if (match.type !== types.object) throw new MongoError('Location15959', 'the match filter must be an expression in an object')
  const shape = shapeOf(last, limit)
  const n = await countSelected(new Collection(storage, namespace), parseFilter(match.value), limit && limitOf(limit))
  return cursorReply(namespace, 0n, 'firstBatch', n === 0 ? [] : [Buffer.from(serialize(shape(n)))])
}

function stageOf (stage: Buffer): Field {
  const [field, ...others] = fieldsOf(stage)
  if (field === undefined || others.length > 0) {
    throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  }
  return field
}

function shapeOf (stage: Field, limit: Field | undefined): Shape {
  if (stage.name === '$count') return countShape(stage)
  if (stage.name !== '$group' || limit !== undefined) throw unsupported(stage)
  if (!stage.value.equals(countGroup)) throw new MongoError('CommandNotSupported', 'The embedded store groups only to count')
  return n => ({ _id: 1, n })
}

function countShape ({ type, value }: Field): Shape {
  const name = type === types.string ? text(value) : undefined
  const faults: Array<[boolean, CodeName, string]> = [
    [name === undefined, 'Location40156', 'the count field must be a non-empty string'],
    [name === '', 'Location40157', 'the count field must be a non-empty string'],
    [name?.startsWith('$') === true, 'Location40158', 'the count field cannot be a $-prefixed path'],
    [name?.includes('\0') === true, 'Location40159', 'the count field cannot contain a null byte'],
    [name?.includes('.') === true, 'Location40160', "the count field cannot contain '.'"],
    [name === '_id', 'Location15948', "a group's _id may only be specified once"]
  ]
  for (const [isFault, code, message] of faults) if (isFault) throw new MongoError(code, message)
  return n => ({ [String(name)]: n })
}

function limitOf ({ type, value }: Field): number {
  let limit = NaN
  if (type === types.int32) limit = value.readInt32LE()
  if (type === types.int64) limit = Number(value.readBigInt64LE())
  if (type === types.double) limit = value.readDoubleLE()
  if (!Number.isInteger(limit) || limit < 0) throw new MongoError('Location5107201', 'invalid argument to $limit stage: Expected a non-negative integer')
  if (limit === 0) throw new MongoError('Location15958', 'the limit must be positive')
  return limit
}

function unsupported (stage: Field | undefined): MongoError {
  const served = pipelines.map(stages => stages.join(', ')).join(' and ')
  return new MongoError('Location40324', `Unrecognized pipeline stage name: '${stage?.name ?? ''}'. The embedded store serves the pipelines ${served}`)
}
