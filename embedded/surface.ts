import { MongoError, type CodeName } from './errors.js'

/** What a field of a command may hold. In a few of them, flags, a number will do for a boolean. */
export type Kind = 'number' | 'int64' | 'boolean' | 'flag' | 'string' | 'object' | 'array' | 'any'

/** Names of one sort: those served, with what they hold, and those that MongoDB has besides, which are refused with CommandNotSupported. */
export interface Names {
  readonly served: Readonly<Record<string, Kind>>
  readonly refused: readonly string[]
}

export interface CommandRow extends Names {
  /** Takes unknown fields and ignores them, as MongoDB's handshake does for the drivers of tomorrow. */
  readonly lenient?: true
  /** Not in Stable API version 1. */
  readonly outsideApi?: true
}

/*
 * The whole surface of the store: what the API, the command line and the tests send, and nothing else. Whatever is not served here is refused:
 * with CommandNotSupported (115) where a list of refused names has it, else with MongoDB's code for something unknown.
 */

export const commands = {
  aggregate: {
    served: { pipeline: 'array', cursor: 'object' },
    refused: ['explain', 'allowDiskUse', 'bypassDocumentValidation', 'collation', 'hint', 'let']
  },
  bulkWrite: {
    // the driver sends the validation's bypass always; there are no validators to bypass
    served: { ops: 'array', nsInfo: 'array', ordered: 'boolean', errorsOnly: 'boolean', bypassDocumentValidation: 'boolean', writeConcern: 'object' },
    refused: ['cursor', 'let']
  },
  count: { served: {}, refused: ['query', 'limit', 'skip', 'hint', 'collation'] },
  createIndexes: { served: { indexes: 'array', writeConcern: 'object' }, refused: ['commitQuorum', 'ignoreUnknownIndexOptions'] },
  delete: { served: { deletes: 'array', ordered: 'boolean', writeConcern: 'object' }, refused: ['let'] },
  drop: { served: { writeConcern: 'object' }, refused: [] },
  dropDatabase: { served: { writeConcern: 'object' }, refused: [] },
  endSessions: { served: { writeConcern: 'object' }, refused: [] },
  find: {
    served: { filter: 'object', projection: 'object', sort: 'object', skip: 'number', limit: 'number', batchSize: 'number', singleBatch: 'boolean' },
    refused: ['hint', 'collation', 'let', 'min', 'max', 'tailable', 'awaitData', 'returnKey', 'showRecordId', 'noCursorTimeout',
      'allowPartialResults', 'allowDiskUse', 'oplogReplay']
  },
  findAndModify: {
    served: { query: 'object', update: 'any', new: 'flag', remove: 'flag', upsert: 'flag', writeConcern: 'object' },
    refused: ['sort', 'fields', 'hint', 'collation', 'arrayFilters', 'let', 'bypassDocumentValidation']
  },
  getMore: { served: { collection: 'string', batchSize: 'number' }, refused: [] },
  hello: { served: { client: 'object' }, refused: [], lenient: true },
  insert: { served: { documents: 'array', ordered: 'boolean', writeConcern: 'object' }, refused: ['bypassDocumentValidation'] },
  ismaster: { served: { client: 'object' }, refused: [], lenient: true, outsideApi: true },
  killCursors: { served: { cursors: 'array' }, refused: [] },
  listIndexes: { served: { cursor: 'object' }, refused: ['includeIndexBuildInfo'] },
  ping: { served: {}, refused: [] }
} as const satisfies Record<string, CommandRow>

export type CommandName = keyof typeof commands

/** Commands of MongoDB outside Stable API version 1 that a client is likely to try. */
export const outsideApi: readonly string[] = ['buildInfo', 'collStats', 'connectionStatus', 'dbStats', 'distinct', 'getParameter', 'isMaster', 'mapReduce', 'serverStatus',
  'validate']

/** Fields that any command may carry. */
export const genericFields: Names = {
  served: {
    $db: 'string',
    lsid: 'object',
    apiVersion: 'string',
    apiStrict: 'boolean',
    apiDeprecationErrors: 'boolean',
    comment: 'any'
  },
  refused: ['$clusterTime', '$readPreference', 'maxTimeMS', 'readConcern']
}

/** One of the operations of a bulkWrite; of each kind the first field names it, and its collection. */
export const bulkStatements = {
  update: { served: { update: 'number', filter: 'object', updateMods: 'any', multi: 'boolean' }, refused: ['upsert', 'arrayFilters', 'hint', 'collation', 'constants', 'sort'] },
  delete: { served: { delete: 'number', filter: 'object', multi: 'boolean' }, refused: ['hint', 'collation'] }
} as const satisfies Record<string, Names>

/** A collection of a bulkWrite. */
export const bulkNamespace: Names = { served: { ns: 'string' }, refused: ['collectionUUID', 'encryptionInformation'] }

/** One of the deletes of a delete. */
export const deleteStatement: Names = { served: { q: 'object', limit: 'number' }, refused: ['collation', 'hint'] }

/** Operators on a field, `_id` or another one of the top level. */
const fieldOperators = {
  served: {
    $eq: 'any',
    $ne: 'any',
    $gt: 'any',
    $gte: 'any',
    $lt: 'any',
    $lte: 'any',
    $in: 'array',
    $nin: 'array',
    $exists: 'any',
    $type: 'any',
    $not: 'object',
    $regex: 'string',
    $options: 'string'
  },
  refused: ['$mod', '$all', '$size', '$elemMatch', '$comment', '$ref', '$id', '$db', '$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear']
} as const satisfies Names

/** Operators in a filter: beside its fields, on `_id`, and on other fields of the top level. */
export const filterOperators = {
  top: {
    served: { $and: 'array', $or: 'array', $nor: 'array' },
    refused: ['$expr', '$where', '$text', '$jsonSchema', '$comment', '$alwaysTrue', '$alwaysFalse']
  },
  id: fieldOperators,
  field: fieldOperators
} satisfies Record<string, Names>

/** Operators of an update, on fields of the top level. */
export const updateOperators = {
  served: { $set: 'object', $setOnInsert: 'object', $inc: 'object' },
  refused: ['$min', '$max', '$mul', '$rename', '$unset', '$currentDate', '$addToSet', '$pop', '$pull', '$push', '$pullAll', '$bit']
} as const satisfies Names

/** What may be sorted by, in up to so many keys, each ascending or descending. */
export const sortFields = ['_id', 'a field'] as const
export const maxSortKeys = 4

/** The stages of the two pipelines there are, in their order. The $limit is optional. */
export const pipelines = [['$match', '$group'], ['$match', '$limit', '$count']] as const
export const stages = [...new Set(pipelines.flat())]

/** An index: ascending, on one field of the top level by which documents expire, or on one and then `_id`. */
export const indexOptions: Names = {
  served: { key: 'object', name: 'string', expireAfterSeconds: 'any' },
  refused: ['unique', 'sparse', 'partialFilterExpression', 'collation', 'hidden', 'v', 'background', 'storageEngine', 'weights', 'default_language',
    'language_override', 'textIndexVersion', '2dsphereIndexVersion', 'bits', 'min', 'max', 'wildcardProjection', 'clustered', 'prepareUnique']
}

/** What a served name holds; undefined for any other, also for those that every object of JavaScript has. */
export function kindOf ({ served }: Names, name: string): Kind | undefined {
  return Object.hasOwn(served, name) ? served[name] : undefined
}

/** The same, but any other name is refused, with the code given here where MongoDB does not know it either. */
export function servedKind (names: Names, name: string, unknown: CodeName, what: string): Kind {
  const kind = kindOf(names, name)
  if (kind !== undefined) return kind
  if (names.refused.includes(name)) throw new MongoError('CommandNotSupported', `The embedded store does not support ${name}`)
  throw new MongoError(unknown, `${what}: ${name}`)
}
