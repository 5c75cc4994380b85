import { Int32, Long, type Document } from 'mongodb'
import { commands } from '../../../embedded/surface.js'
import { chance, document, id, one, value } from '../values.js'
import { collection, type Case } from './case.js'
import { idFilter } from './filters.js'
import { update } from './write.js'

/** A command that would be taken, of each kind that has fields. */
const valid: Record<string, () => Document> = {
  aggregate: () => ({ aggregate: collection(), pipeline: [{ $match: {} }, { $group: { _id: 1, n: { $sum: 1 } } }], cursor: {} }),
  createIndexes: () => ({ createIndexes: 'new', indexes: [{ key: { x: 1 }, name: 'x_1', expireAfterSeconds: 0 }] }),
  delete: () => ({ delete: collection(), deletes: [{ q: { _id: id() }, limit: 1 }], ordered: true }),
  find: () => ({ find: collection(), filter: idFilter(), sort: { _id: 1 }, limit: 1, batchSize: 1, singleBatch: true }),
  findAndModify: () => ({ findAndModify: collection(), query: { _id: id() }, update: update(), new: true, remove: false, upsert: false }),
  getMore: () => ({ getMore: Long.fromNumber(1), collection: collection(), batchSize: 1 }),
  insert: () => ({ insert: collection(), documents: [document()], ordered: true }),
  killCursors: () => ({ killCursors: collection(), cursors: [Long.fromNumber(1)] }),
  count: () => ({ count: collection() }),
  drop: () => ({ drop: 'none' }),
  listIndexes: () => ({ listIndexes: 'large', cursor: {} }),
  ping: () => ({ ping: 1 })
}

/** A value of a type that a field of this kind does not take. */
const wrong: Record<string, unknown[]> = {
  number: ['x', {}, [1]],
  int64: ['x', new Int32(1), {}],
  boolean: ['x', {}, [true], new Int32(1)],
  flag: ['x', {}, [true]],
  string: [new Int32(1), {}, ['x']],
  object: ['x', new Int32(1), [1]],
  array: ['x', new Int32(1), {}]
}

const required: Record<string, string[]> = {
  aggregate: ['pipeline', 'cursor'],
  createIndexes: ['indexes'],
  delete: ['deletes'],
  findAndModify: ['update'],
  getMore: ['collection'],
  insert: ['documents'],
  killCursors: ['cursors']
}

export const refusals: Record<string, () => Case> = {
  'an unknown command' () {
    const [command, loose] = [{ [one(['foo', 'finds', 'FIND', 'constructor'])]: 1 }, chance(0.5)]
    return { run: side => side.command(command, { loose }) }
  },
  'a command outside the Stable API' () {
    const command = one([{ distinct: 'a', key: 'x' }, { isMaster: 1 }, { ismaster: 1 }, { serverStatus: 1 }, { dbStats: 1 }, { buildInfo: 1 }])
    return { run: side => side.command(command) }
  },
  'a wrong declaration of the API' () {
    const command = { ping: 1, ...one([{ apiVersion: '2' }, { apiStrict: true }, { apiDeprecationErrors: true }]) }
    return { run: side => side.command(command, { loose: true }) }
  },
  'an unknown field' () {
    const command = { ...one(Object.values(valid))(), [one(['foo', 'Filter', 'x'])]: 1 }
    return { run: side => side.command(command) }
  },
  'a field of the wrong type' () {
    const [name, make] = one(Object.entries(valid).filter(([name]) => Object.keys(rowOf(name).served).length > 0))
    const [field, kind] = one(Object.entries(rowOf(name).served))
    const command = { ...make(), [field]: one(wrong[kind] ?? [new Int32(1)]) }
    return { run: side => side.command(command) }
  },
  'a missing field' () {
    const [name, fields] = one(Object.entries(required))
    const gone = one(fields)
    const command = Object.fromEntries(Object.entries(valid[name]?.() ?? {}).filter(([field]) => field !== gone))
    return { run: side => side.command(command) }
  },
  'a filter with an unknown operator' () {
    const by = one([{ _id: { $foo: 1 } }, { $foo: 1 }, { name: { $foo: 'x' } }, { _id: { $eq: 1, $foo: 2 } }, { _id: { $in: 1 } }, { _id: { $in: [{ $foo: 1 }] } }, { _id: { $eq: 1, a: 1 } },
      { $or: [] }, { $and: [1] }, { $nor: {} }, { n: { $not: {} } }, { n: { $not: 1 } }, { n: { $type: 'foo' } }, { n: { $type: 55 } }, { n: { $type: [] } }, { n: { $options: 'i' } },
      { n: { $ne: /a/ } }, { n: { $gt: /a/ } }, { n: { $regex: 1 } }, { $or: [{ n: { $foo: 1 } }] }])
    const command = one<Document>([
      { find: collection(), filter: by },
      { findAndModify: collection(), query: by, update: { $set: { a: 1 } } },
      { delete: collection(), deletes: [{ q: by, limit: 1 }, { q: { _id: 'x' }, limit: 1 }], ordered: chance(0.5) },
      { aggregate: collection(), pipeline: [{ $match: by }, { $group: { _id: 1, n: { $sum: 1 } } }], cursor: {} }
    ])
    return { run: side => side.command(command) }
  },
  'an update that is none' () {
    const changes: Document = one([
      { $foo: { a: 1 } }, { $set: { a: 1 }, b: 1 }, { $set: 1 }, { $set: { '': 1 } }, { $set: { $a: 1 } }, { $set: { a: 1 }, $inc: { a: 1 } }, { $inc: { name: 'x' } }, { $inc: { n: null } },
      { $set: { _id: 'other' } }, { $inc: { _id: 1 } }, { $setOnInsert: { _id: 'other' } }
    ])
    const _id = id()
    const name = collection()
    return {
      run: async side => {
        await side.command({ findAndModify: name, query: { _id }, update: { $set: { there: 1 } }, upsert: true })
        return side.command({ findAndModify: name, query: { _id }, update: changes, new: true })
      }
    }
  },
  'a batch that is none' () {
    const command = one<Document>([
      { insert: collection(), documents: [] }, { delete: collection(), deletes: [] }, { insert: collection(), documents: [value(0) ?? 1] },
      { delete: collection(), deletes: [{ q: {}, limit: one([2, -1]) }] }, { delete: collection(), deletes: [{ q: { _id: 1 } }] }, { delete: collection(), deletes: [{ limit: 1 }] },
      { delete: collection(), deletes: [{ q: { _id: 1 }, limit: 1, foo: 1 }] }, { delete: collection(), deletes: [{ q: 1, limit: 1 }] }
    ])
    return { run: side => side.command(command) }
  },
  'a pipeline that is none' () {
    const pipeline = one([[{ $foo: {} }], [{ $match: {} }, { $foo: 1 }], [{}], [{ $match: {}, $group: {} }], [1], ...[0, -1, 1.5, 'x'].map($limit => [{ $match: {} }, { $limit }, { $count: 'n' }]),
      ...['', '$n', 'a.b', '_id', 1].map($count => [{ $match: {} }, { $count }]), [{ $match: 1 }, { $count: 'n' }]])
    const command = { aggregate: collection(), pipeline, cursor: {} }
    return { run: side => side.command(command, { loose: true }) }
  },
  'an index that is none' () {
    const index = { key: { x: 1 }, name: 'x_1', expireAfterSeconds: 0 }
    const indexes: unknown[] = one([
      [], [1], [{ ...index, name: undefined }], [{ ...index, key: {} }], [{ ...index, expireAfterSeconds: 'x' }], [{ ...index, expireAfterSeconds: -1 }],
      [{ ...index, expireAfterSeconds: 2 ** 31 }], [{ ...index, key: { x: 1, y: 1 } }], [{ ...index, foo: 1 }], [{ ...index, key: undefined }], [{ ...index, name: '' }],
      [{ ...index, key: { '': 1 } }], [{ ...index, key: { $x: 1 } }], [{ ...index, key: { _id: 1 }, name: 'own_id' }]
    ])
    return {
      run: async side => {
        await side.command({ drop: 'new' })
        return side.command({ createIndexes: 'new', indexes }).finally(() => side.command({ drop: 'new' }))
      }
    }
  },
  'a number out of its range' () {
    const command = one<Document>([
      { find: collection(), limit: -1 }, { find: collection(), batchSize: -1 }, { find: collection(), sort: { _id: 2 } }, { find: collection(), sort: { _id: 0 } },
      { find: collection(), skip: -1 }, { find: collection(), sort: { '': 1 } }, { find: collection(), sort: { $n: 1 } },
      { getMore: Long.fromNumber(1), collection: collection(), batchSize: -1 }
    ])
    return { run: side => side.command(command) }
  },
  'a name that is none' () {
    const command = one<Document>([
      { find: '' }, { find: 1 }, { insert: '', documents: [{}] }, { find: 'a\0b' }, { drop: '' }, { insert: '.a', documents: [{}] }, { count: 'x'.repeat(300) }
    ])
    return { run: side => side.command(command) }
  }
}

function rowOf (name: string): { served: Readonly<Record<string, string>> } {
  const row = Object.entries(commands).find(([command]) => command === name)
  if (row === undefined) throw new Error(`${name} is no command of the surface`)
  return row[1]
}
