import { readFile } from 'node:fs/promises'
import { Decimal128, Double, Int32, Long, type Document } from 'bson'
import t from 'tap'
import { bulkNamespace, bulkStatements, commands, deleteStatement, filterOperators, genericFields, indexOptions, sortFields, stages, updateOperators } from '../../embedded/surface.js'
import { root } from '../root.js'
import { serverFor, type SendOptions } from './support.js'

const api = { apiVersion: '1', apiStrict: true, apiDeprecationErrors: true }
const insertOne = { insert: 'students', documents: [{ _id: 1 }] }
const setName = { findAndModify: 'students', query: { _id: 1 }, update: { $set: { name: 'x' } } }
const countPipeline = [{ $match: {} }, { $group: { _id: 1, n: { $sum: 1 } } }]
const countAll = { aggregate: 'students', pipeline: countPipeline, cursor: {} }

function index (options: Document): Document {
  return { createIndexes: 'students', indexes: [{ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 0, ...options }] }
}

interface Refusal {
  code: number
  codeName: string
  body: Document
  options?: SendOptions
}

function nested (levels: number): Document {
  let value: Document = {}
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

/** By title: what is sent, and the error that MongoDB has for it. */
const refused: Record<string, Refusal> = {
  'an unknown command': { code: 59, codeName: 'CommandNotFound', body: { foo: 1 } },
  'an unknown command under apiStrict': { code: 59, codeName: 'CommandNotFound', body: { foo: 1, ...api } },
  update: { code: 59, codeName: 'CommandNotFound', body: { update: 'students', updates: [] } },
  'a command outside the Stable API': { code: 323, codeName: 'APIStrictError', body: { distinct: 'students', key: 'a', ...api } },
  'isMaster under apiStrict': { code: 323, codeName: 'APIStrictError', body: { isMaster: 1, ...api } },
  'another API version': { code: 322, codeName: 'APIVersionError', body: { ping: 1, apiVersion: '2' } },
  'apiStrict without a version': { code: 4886600, codeName: 'Location4886600', body: { ping: 1, apiStrict: true } },
  'apiDeprecationErrors without a version': { code: 4886600, codeName: 'Location4886600', body: { ping: 1, apiDeprecationErrors: true } },
  'an unknown field': { code: 40415, codeName: 'IDLUnknownField', body: { find: 'students', fliter: {} } },
  'an unknown document sequence': { code: 40415, codeName: 'IDLUnknownField', body: { insert: 'students' }, options: { sequences: { docs: [{}] } } },
  'a field in the body and as a sequence': { code: 40413, codeName: 'IDLDuplicateField', body: insertOne, options: { sequences: { documents: [{}] } } },
  'a field that MongoDB has': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', hint: '_id_' } },
  'a projection that leaves a field out': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', projection: { a: 0 } } },
  'a projection that leaves the id out': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', projection: { _id: false, a: 1 } } },
  'a projection into a field': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', projection: { 'a.b': 1 } } },
  'a projection that computes': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', projection: { a: '$b' } } },
  'a projection of what is changed': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, fields: { a: 1 } } },
  'a field of the wrong type': { code: 14, codeName: 'TypeMismatch', body: { find: 'students', filter: 'x' } },
  'a generic field of the wrong type': { code: 14, codeName: 'TypeMismatch', body: { drop: 'x', writeConcern: 'x' } },
  'a write concern for what writes nothing': { code: 72, codeName: 'InvalidOptions', body: { ping: 1, writeConcern: {} } },
  'a missing field': { code: 40414, codeName: 'IDLFailedToParse', body: { insert: 'students' } },
  'a transaction number': { code: 20, codeName: 'IllegalOperation', body: { ...insertOne, txnNumber: Long.fromNumber(1) } },
  'a transaction': { code: 20, codeName: 'IllegalOperation', body: { ...insertOne, startTransaction: true, autocommit: false } },
  'a read concern': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', readConcern: { level: 'snapshot' } } },
  'a time limit': { code: 115, codeName: 'CommandNotSupported', body: { ping: 1, maxTimeMS: 1 } },
  "a name of JavaScript's as a command": { code: 59, codeName: 'CommandNotFound', body: { constructor: 1 } },
  "a name of JavaScript's as a field": { code: 40415, codeName: 'IDLUnknownField', body: { ping: 1, constructor: 1 } },
  "a name of JavaScript's as an operator": { code: 9, codeName: 'FailedToParse', body: { ...setName, update: { $set: {}, constructor: {} } } },
  'a collection name that is no string': { code: 73, codeName: 'InvalidNamespace', body: { find: 1 } },
  'an empty collection name': { code: 73, codeName: 'InvalidNamespace', body: { find: '' } },
  'a dollar in a collection name': { code: 73, codeName: 'InvalidNamespace', body: { find: 'a$b' } },
  'a zero byte in a collection name': { code: 73, codeName: 'InvalidNamespace', body: { find: 'a\0b' } },
  'a collection of the system': { code: 73, codeName: 'InvalidNamespace', body: { find: 'system.users' } },
  'a namespace over 255 bytes': { code: 73, codeName: 'InvalidNamespace', body: { find: 'x'.repeat(248) } },
  'a dot in a database name': { code: 73, codeName: 'InvalidNamespace', body: { find: 'x', $db: 'a.b' } },
  'a database name over 63 bytes': { code: 73, codeName: 'InvalidNamespace', body: { find: 'x', $db: 'x'.repeat(64) } },
  'a body over 100 levels': { code: 15, codeName: 'Overflow', body: { find: 'x', filter: { _id: nested(110) } } },
  'a document over 100 levels': { code: 15, codeName: 'Overflow', body: { insert: 'x' }, options: { sequences: { documents: [nested(101)] } } },

  'a filter by a path': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { 'name.first': 'x' } } },
  'a filter by an expression': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { name: /x/ } } },
  'an unknown operator': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { _id: { $foo: 1 } } } },
  'an operator that MongoDB has': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { _id: { $mod: [2, 1] } } } },
  'a count by a filter': { code: 115, codeName: 'CommandNotSupported', body: { count: 'students', query: { _id: 1 } } },
  'an operator next to a name': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { _id: { $eq: 1, name: 2 } } } },
  'an unknown top level operator': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { $foo: 1 } } },
  '$or of nothing': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { $or: [] } } },
  '$and of no documents': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { $and: [1] } } },
  '$nor without a list': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { $nor: {} } } },
  'an unknown operator in $or': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { $or: [{ a: { $foo: 1 } }] } } },
  'an empty $not': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $not: {} } } } },
  '$not of a value': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $not: 1 } } } },
  '$not of an expression': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $not: /x/ } } } },
  'an expression in $in': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $in: [/x/] } } } },
  '$ne of an expression': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $ne: /x/ } } } },
  'more than an expression': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $gt: /x/ } } } },
  'an unknown name of a type': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $type: 'foo' } } } },
  'an unknown number of a type': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $type: 55 } } } },
  'the byte that BSON has for MinKey': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $type: 255 } } } },
  'no type': { code: 9, codeName: 'FailedToParse', body: { find: 'students', filter: { a: { $type: [] } } } },
  'a type that is no name': { code: 14, codeName: 'TypeMismatch', body: { find: 'students', filter: { a: { $type: true } } } },
  '$options without $regex': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $options: 'i' } } } },
  '$regex of a number': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $regex: 1 } } } },
  '$regex with a zero byte': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $regex: 'a\0' } } } },
  '$options of a number': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { a: { $regex: 'a', $options: 1 } } } },
  'other $options': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: 'a', $options: 'm' } } } },
  '$regex that is no escaped text, ^a': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: '^a' } } } },
  '$regex that is no escaped text, a.b': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: 'a.b' } } } },
  '$regex that is no escaped text, a|b': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: 'a|b' } } } },
  '$regex that is no escaped text, a\\d': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: 'a\\d' } } } },
  '$regex that is no escaped text, a\\': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: 'a\\' } } } },
  '$regex that is no escaped text, [a]': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { a: { $regex: '[a]' } } } },
  $where: { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { $where: 'true' } } },
  '$in without an array': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { _id: { $in: 1 } } } },
  'an operator in $in': { code: 2, codeName: 'BadValue', body: { find: 'students', filter: { _id: { $in: [{ $gt: 1 }] } } } },
  'a regular expression': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', filter: { _id: /x/ } } },
  'a negative limit': { code: 2, codeName: 'BadValue', body: { find: 'students', limit: -1 } },
  'a sort by five fields': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', sort: { a: 1, b: 1, c: 1, d: 1, _id: 1 } } },
  'a sort by a path': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', sort: { 'a.b': 1 } } },
  'a sort by an empty name': { code: 40352, codeName: 'Location40352', body: { find: 'students', sort: { '': 1 } } },
  'a sort by a name with a dollar': { code: 16410, codeName: 'Location16410', body: { find: 'students', sort: { $a: 1 } } },
  'a long skip': { code: 115, codeName: 'CommandNotSupported', body: { find: 'students', skip: 10_001 } },
  'a negative skip': { code: 2, codeName: 'BadValue', body: { find: 'students', skip: -1 } },
  'a sort in no direction': { code: 15975, codeName: 'Location15975', body: { find: 'students', sort: { _id: 2 } } },
  'getMore with a negative size': { code: 2, codeName: 'BadValue', body: { getMore: Long.fromNumber(4711), collection: 'students', batchSize: -1 } },
  'getMore without a collection': { code: 40414, codeName: 'IDLFailedToParse', body: { getMore: Long.fromNumber(4711) } },
  'getMore with an int32': { code: 14, codeName: 'TypeMismatch', body: { getMore: 1, collection: 'students' } },
  'getMore of an unknown cursor': { code: 43, codeName: 'CursorNotFound', body: { getMore: Long.fromNumber(4711), collection: 'students' } },
  'killCursors with an int32': { code: 14, codeName: 'TypeMismatch', body: { killCursors: 'students', cursors: [1] } },

  'an insert of nothing': { code: 16, codeName: 'InvalidLength', body: { insert: 'students', documents: [] } },
  'an insert of no documents': { code: 14, codeName: 'TypeMismatch', body: { insert: 'students', documents: [1] } },
  'a delete of nothing': { code: 16, codeName: 'InvalidLength', body: { delete: 'students', deletes: [] } },
  'a delete without a limit': { code: 40414, codeName: 'IDLFailedToParse', body: { delete: 'students', deletes: [{ q: {} }] } },
  'a delete with limit 2': { code: 9, codeName: 'FailedToParse', body: { delete: 'students', deletes: [{ q: {}, limit: 2 }] } },
  'a delete with an unknown field': { code: 40415, codeName: 'IDLUnknownField', body: { delete: 'students', deletes: [{ q: {}, limit: 1, x: 1 }] } },
  'a delete with a hint': { code: 115, codeName: 'CommandNotSupported', body: { delete: 'students', deletes: [{ q: {}, limit: 1, hint: '_id_' }] } },

  'findAndModify without an _id': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, query: {} } },
  'findAndModify without an update': { code: 9, codeName: 'FailedToParse', body: { ...setName, update: undefined } },
  'findAndModify with remove': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, remove: true } },
  'an upsert by a list of _ids': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, query: { _id: { $in: [3, 4] } }, upsert: new Int32(1) } },
  'an upsert by no _id of a list': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, query: { _id: { $in: [] } }, upsert: true } },
  'an upsert by $or': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, query: { _id: 3, $or: [{ a: 1 }] }, upsert: true } },
  'an upsert by two _ids': { code: 54, codeName: 'NotSingleValueField', body: { ...setName, query: { $and: [{ _id: 3 }, { _id: 4 }] }, upsert: true } },
  'an upsert of an _id that can be none': { code: 53, codeName: 'InvalidIdField', body: { ...setName, query: { _id: [3] }, upsert: true } },
  'an upsert of another _id': { code: 66, codeName: 'ImmutableField', body: { ...setName, query: { _id: 3 }, update: { $setOnInsert: { _id: 4 } }, upsert: true } },
  'a replacement': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: { name: 'x' } } },
  'an empty update': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: {} } },
  'an update by a pipeline': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: [{ $set: { name: 'x' } }] } },
  'an update that is no document': { code: 9, codeName: 'FailedToParse', body: { ...setName, update: 1 } },
  'an unknown update operator': { code: 9, codeName: 'FailedToParse', body: { ...setName, update: { $foo: { name: 'x' } } } },
  'an unknown update operator after $set': { code: 9, codeName: 'FailedToParse', body: { ...setName, update: { $set: { name: 'x' }, name: 'x' } } },
  'an update operator that MongoDB has': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: { $unset: { n: 1 } } } },
  '$inc by no number': { code: 14, codeName: 'TypeMismatch', body: { ...setName, update: { $inc: { n: 'x' } } } },
  '$inc by a decimal': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: { $inc: { _id: Decimal128.fromString('1') } } } },
  '$inc of the _id': { code: 66, codeName: 'ImmutableField', body: { ...setName, update: { $inc: { _id: 1 } } } },
  'two operators on a field': { code: 40, codeName: 'ConflictingUpdateOperators', body: { ...setName, update: { $set: { n: 1 }, $inc: { n: 1 } } } },
  '$set of no document': { code: 9, codeName: 'FailedToParse', body: { ...setName, update: { $set: 1 } } },
  '$set of an empty name': { code: 56, codeName: 'EmptyFieldName', body: { ...setName, update: { $set: { '': 1 } } } },
  '$set of a name with a dollar': { code: 52, codeName: 'DollarPrefixedFieldName', body: { ...setName, update: { $set: { $x: 1 } } } },
  '$set of a path': { code: 115, codeName: 'CommandNotSupported', body: { ...setName, update: { $set: { 'a.b': 1 } } } },
  '$set of another _id': { code: 66, codeName: 'ImmutableField', body: { ...setName, update: { $set: { _id: 2 } } } },

  'no index': { code: 2, codeName: 'BadValue', body: { createIndexes: 'students', indexes: [] } },
  'an index without a key': { code: 9, codeName: 'FailedToParse', body: index({ key: undefined }) },
  'an index on a number': { code: 14, codeName: 'TypeMismatch', body: index({ key: 1 }) },
  'an index without a name': { code: 9, codeName: 'FailedToParse', body: index({ name: undefined }) },
  'an index with an empty name': { code: 67, codeName: 'CannotCreateIndex', body: index({ name: '' }) },
  'an index by which nothing expires': { code: 115, codeName: 'CommandNotSupported', body: { createIndexes: 'students', indexes: [{ key: { a: 1 }, name: 'a_1' }] } },
  'an index on _id': { code: 115, codeName: 'CommandNotSupported', body: { createIndexes: 'students', indexes: [{ key: { _id: 1 }, name: 'id' }] } },
  'an index on two fields': { code: 115, codeName: 'CommandNotSupported', body: { createIndexes: 'students', indexes: [{ key: { a: 1, b: 1 }, name: 'ab' }] } },
  'an index on two fields and _id': { code: 115, codeName: 'CommandNotSupported', body: { createIndexes: 'students', indexes: [{ key: { a: 1, _id: 1, b: 1 }, name: 'ab' }] } },
  'an index with _id descending': { code: 115, codeName: 'CommandNotSupported', body: { createIndexes: 'students', indexes: [{ key: { a: 1, _id: -1 }, name: 'a' }] } },
  'indexes of no collection': { code: 26, codeName: 'NamespaceNotFound', body: { listIndexes: 'none', cursor: {} } },
  'indexes without a cursor': { code: 40414, codeName: 'IDLFailedToParse', body: { listIndexes: 'students' } },
  'indexes in small batches': { code: 115, codeName: 'CommandNotSupported', body: { listIndexes: 'students', cursor: { batchSize: 1 } } },
  'a unique index': { code: 115, codeName: 'CommandNotSupported', body: index({ unique: true }) },
  'an index with an unknown option': { code: 40415, codeName: 'IDLUnknownField', body: index({ foo: 1 }) },
  'an index on nothing': { code: 67, codeName: 'CannotCreateIndex', body: index({ key: {} }) },
  'expiry by two fields': { code: 67, codeName: 'CannotCreateIndex', body: index({ key: { a: 1, b: 1 } }) },
  'an index on an empty field': { code: 67, codeName: 'CannotCreateIndex', body: index({ key: { '': 1 } }) },
  'an index on a name with a dollar': { code: 67, codeName: 'CannotCreateIndex', body: index({ key: { $a: 1 } }) },
  'expiry by _id': { code: 197, codeName: 'InvalidIndexSpecificationOption', body: index({ key: { _id: 1 } }) },
  'an index on a path': { code: 115, codeName: 'CommandNotSupported', body: index({ key: { 'a.b': 1 } }) },
  'a descending index': { code: 115, codeName: 'CommandNotSupported', body: index({ key: { a: -1 } }) },
  'an index of another kind': { code: 115, codeName: 'CommandNotSupported', body: index({ key: { a: 'hashed' } }) },
  'expiry in the past': { code: 67, codeName: 'CannotCreateIndex', body: index({ expireAfterSeconds: -1 }) },
  'expiry after 2^31 seconds': { code: 67, codeName: 'CannotCreateIndex', body: index({ expireAfterSeconds: Long.fromNumber(2 ** 31) }) },
  'expiry after NaN seconds': { code: 67, codeName: 'CannotCreateIndex', body: index({ expireAfterSeconds: new Double(NaN) }) },
  'expiry after no number': { code: 67, codeName: 'CannotCreateIndex', body: index({ expireAfterSeconds: 'x' }) },
  'too many indexes': {
    code: 67,
    codeName: 'CannotCreateIndex',
    body: { createIndexes: 'students', indexes: Array.from({ length: 64 }, (_, at) => ({ key: { [`a${at}`]: 1 }, name: `a${at}`, expireAfterSeconds: 0 })) }
  },

  'an unknown stage': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [{ $foo: {} }] } },
  'a stage that MongoDB has': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [{ $match: {} }, { $limit: 1 }] } },
  'a limit after the group': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [{ $match: {} }, { $limit: 1 }, countPipeline[1]] } },
  'another stage first': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [{ $count: 'n' }] } },
  'a match that is no document': { code: 15959, codeName: 'Location15959', body: { ...countAll, pipeline: [{ $match: 1 }, { $count: 'n' }] } },
  'a limit of 0': { code: 15958, codeName: 'Location15958', body: { ...countAll, pipeline: [{ $match: {} }, { $limit: 0 }, { $count: 'n' }] } },
  'a limit of 1.5': { code: 5107201, codeName: 'Location5107201', body: { ...countAll, pipeline: [{ $match: {} }, { $limit: 1.5 }, { $count: 'n' }] } },
  'a limit that is no number': { code: 5107201, codeName: 'Location5107201', body: { ...countAll, pipeline: [{ $match: {} }, { $limit: 'x' }, { $count: 'n' }] } },
  'a count without a name': { code: 40156, codeName: 'Location40156', body: { ...countAll, pipeline: [{ $match: {} }, { $count: 1 }] } },
  'a count with an empty name': { code: 40157, codeName: 'Location40157', body: { ...countAll, pipeline: [{ $match: {} }, { $count: '' }] } },
  'a count with a dollar': { code: 40158, codeName: 'Location40158', body: { ...countAll, pipeline: [{ $match: {} }, { $count: '$n' }] } },
  'a count with a zero byte': { code: 40159, codeName: 'Location40159', body: { ...countAll, pipeline: [{ $match: {} }, { $count: 'a\0' }] } },
  'a count with a dot': { code: 40160, codeName: 'Location40160', body: { ...countAll, pipeline: [{ $match: {} }, { $count: 'a.b' }] } },
  'a count as _id': { code: 15948, codeName: 'Location15948', body: { ...countAll, pipeline: [{ $match: {} }, { $count: '_id' }] } },
  'a stage after the count': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [...countPipeline, { $sort: { n: 1 } }] } },
  'an empty pipeline': { code: 40324, codeName: 'Location40324', body: { ...countAll, pipeline: [] } },
  'another group': { code: 115, codeName: 'CommandNotSupported', body: { ...countAll, pipeline: [{ $match: {} }, { $group: { _id: '$name' } }] } },
  'a stage of two names': { code: 40323, codeName: 'Location40323', body: { ...countAll, pipeline: [{ $match: {}, $group: {} }] } },
  'an empty stage': { code: 40323, codeName: 'Location40323', body: { ...countAll, pipeline: [{}] } },
  'aggregate without a cursor': { code: 9, codeName: 'FailedToParse', body: { aggregate: 'students', pipeline: countPipeline } }
}

t.test('whatever is not served is refused with the code that MongoDB has for it, and nothing happens', async t => {
  const { client } = await serverFor(t)
  await client.send(insertOne)
  for (const [title, { body, options, code, codeName }] of Object.entries(refused)) {
    const reply = await client.send(body, options)
    t.match(reply, { ok: new Double(0), code: new Int32(code), codeName, errmsg: String }, title)
  }
  t.match(await client.send({ find: 'students' }), { cursor: { firstBatch: [{ _id: new Int32(1) }] } })
})

t.test('docs/embedded.md lists exactly what is served', async t => {
  const page = await readFile(`${root}docs/embedded.md`, 'utf8')
  const listed = [...page.matchAll(/^\| ((?:command|any|one|filter|sort|update|pipeline|index)\b[^|]*) \|([^|]*)\|$/gm)]
  const names = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  t.same(Object.fromEntries(listed.map(([, kind, cell]) => [kind, names(cell)])), {
    ...Object.fromEntries(Object.entries(commands).map(([name, { served }]) => [`command \`${name}\``, Object.keys(served)])),
    'any command': Object.keys(genericFields.served),
    'one of `deletes`': Object.keys(deleteStatement.served),
    'one update of `ops`': Object.keys(bulkStatements.update.served),
    'one delete of `ops`': Object.keys(bulkStatements.delete.served),
    'one of `nsInfo`': Object.keys(bulkNamespace.served),
    filter: Object.keys(filterOperators.top.served),
    'filter on `_id`': Object.keys(filterOperators.id.served),
    'filter on another field': Object.keys(filterOperators.field.served),
    sort: sortFields,
    update: Object.keys(updateOperators.served),
    pipeline: stages,
    index: Object.keys(indexOptions.served)
  })
})
