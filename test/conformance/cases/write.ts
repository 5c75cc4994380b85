import { Binary, Int32, Long, type Document } from 'mongodb'
import { asSet, database, exact, type Side } from '../side.js'
import { chance, document, fieldName, fields, id, lookalikes, number, one, some, summands, texts, upTo, value } from '../values.js'
import { collection, indexed, sortIndex, type Case } from './case.js'
import { condition, filter, idFilter } from './filters.js'
import { generic } from './read.js'

const writeConcerns = [{ w: 1 }, { w: 'majority' }, { w: 1, j: true }]

export const writes: Record<string, () => Case> = {
  'insert' () {
    const command = { insert: collection(), documents: several(document), ...(chance(0.7) && { ordered: chance(0.5) }), ...concern(), ...generic() }
    return { run: side => side.command(command) }
  },
  'insert what can be no _id' () {
    const wrong = () => ({ _id: one([[1], /x/, { $a: 1 }, { $eq: 1 }, []]), name: 'x' })
    const documents = some([document(), wrong(), document(), wrong()], 1, 4)
    const command = { insert: collection(), documents, ordered: chance(0.5) }
    return { run: side => side.command(command) }
  },
  'two _ids that look alike' () {
    const documents = some(lookalikes, 2, 4).map(_id => ({ _id }))
    return {
      run: async side => {
        const reply = await side.command({ insert: 'fresh', documents, ordered: false })
        const { cursor } = await side.command({ find: 'fresh', sort: { _id: 1 } })
        const found = await Promise.all(documents.map(({ _id }) => side.command({ find: 'fresh', filter: { _id } })))
        await side.command({ drop: 'fresh' })
        return [reply, cursor.firstBatch, found.map(({ cursor }) => cursor.firstBatch)]
      }
    }
  },
  'insert without an _id' () {
    const documents = several(fields)
    return {
      run: async side => {
        const reply = await side.command({ insert: 'fresh', documents })
        const { cursor } = await side.command({ find: 'fresh' })
        await side.command({ drop: 'fresh' })
        return [reply, asSet(cursor.firstBatch.map(({ _id, ...rest }: Document) => [_id._bsontype, rest]))]
      }
    }
  },
  "the driver's insertMany" () {
    // of a null _id the driver makes an ObjectId, another on each side
    const [name, documents, ordered] = [collection(), several(document).filter(({ _id }) => _id !== null), chance(0.5)]
    return { run: side => side.collection(name).insertMany([{ _id: 'x' }, ...documents], { ordered }) }
  },
  'findAndModify' () {
    const command = {
      findAndModify: collection(),
      query: one([{ _id: id() }, { _id: { $eq: id() } }, { _id: { $in: [id()] } }, { _id: id(), [one(['name', 'type', 'tags'])]: one(texts) }]),
      update: update(),
      ...(chance(0.8) && { new: one([true, false, new Int32(1)]) }),
      ...(chance(0.2) && { remove: false }),
      ...(chance(0.5) && { upsert: one([true, false, new Int32(0), Long.fromNumber(1)]) }),
      ...concern()
    }
    return { run: side => side.command(command) }
  },
  'a change on a condition' () {
    const query = { _id: id(), ...condition(), ...chance(0.5) && condition(), ...chance(0.3) && { missing: { $exists: false } } }
    const command = { findAndModify: collection(), query, update: { $set: { type: one(texts) } }, new: chance(0.5) }
    return { run: side => side.command(command) }
  },
  'an upsert by an _id and a string' () {
    const query = { _id: id(), [one(['name', 'tags'])]: chance(0.5) ? one(texts) : { $eq: one(texts) } }
    const command = { findAndModify: collection(), query, update: { $set: { type: one(texts) } }, new: chance(0.5), upsert: true }
    return { run: side => side.command(command) }
  },
  'increments' () {
    const _id = id()
    const [n, by] = summands()
    const [name, setUp, change] = [collection(), { $set: { n } }, { $inc: { n: by } }]
    const modify = (update: Document): Document => ({ findAndModify: name, query: { _id }, update, new: true, upsert: true })
    return {
      run: async side => {
        await side.command(modify(setUp))
        return side.command(modify(change))
      }
    }
  },
  "the driver's findOneAndUpdate" () {
    const [name, by, change]: [string, Document, Document] = [collection(), { _id: id() }, update()]
    const options = { upsert: chance(0.5), returnDocument: one(['before', 'after'] as const), includeResultMetadata: true as const, ...exact }
    return {
      run: async side => {
        const { lastErrorObject, value, ok } = await side.collection(name).findOneAndUpdate(by, change, options)
        return { lastErrorObject, value, ok }
      }
    }
  },
  'delete' () {
    const statement = (): Document => chance(0.7)
      ? { q: one([{ _id: id() }, { _id: { $in: [id()] } }]), limit: one([0, 1, Long.fromNumber(1)]) }
      : { q: filter(), limit: 0 }
    const command = { delete: collection(), deletes: several(statement), ...(chance(0.5) && { ordered: chance(0.5) }), ...concern(), ...generic() }
    return { run: side => side.command(command) }
  },
  "the driver's deletes" () {
    const [name, by, many]: [string, Document, Document] = [collection(), { _id: id() }, idFilter()]
    return {
      run: async side => {
        const documents = side.collection(name)
        return [await documents.deleteOne(by), await documents.deleteMany(many)]
      }
    }
  },
  'bulkWrite' () {
    const names = [collection(), collection()]
    const by = (): Document => one<Document>([{ _id: plainId() }, { _id: { $in: [plainId()] } }, { _id: plainId(), ...condition() }])
    // of a command with one place beyond nsInfo MongoDB makes no change, SecantusDB those before it
    const place = chance(0.1) ? () => 2 : () => upTo(1)
    const operation = (): Document => {
      const multi = chance(0.3) && { multi: false }
      return chance(0.6) ? { update: place(), filter: by(), updateMods: { $set: { [one(['m', 'extra'])]: value(), type: one(texts) } }, ...multi } : { delete: place(), filter: by(), ...multi }
    }
    const command = {
      bulkWrite: 1,
      ops: several(operation),
      nsInfo: names.map(name => ({ ns: `${database}.${name}` })),
      ...chance(0.7) && { ordered: chance(0.5) },
      ...chance(0.7) && { errorsOnly: chance(0.3) },
      ...chance(0.5) && { bypassDocumentValidation: false },
      writeConcern: one(writeConcerns),
      ...generic()
    }
    return { run: side => bulk(side, command) }
  },
  "the driver's bulkWrite" () {
    const [name, first, second]: [string, Document, Document] = [collection(), { _id: plainId() }, { _id: plainId() }]
    const models = [
      { name: 'updateOne' as const, namespace: `${database}.${name}`, filter: first, update: { $set: { type: one(texts) } } },
      { name: 'deleteOne' as const, namespace: `${database}.${name}`, filter: second }
    ]
    return {
      run: async side => {
        const { updateResults, deleteResults } = await side.client.bulkWrite(models, { ordered: false, verboseResults: true })
        return [updateResults?.get(0)?.matchedCount, updateResults?.get(0)?.modifiedCount, deleteResults?.get(1)?.deletedCount]
      }
    }
  },
  'createIndexes' () {
    const name = one([...'abc', 'new'])
    const command = { createIndexes: name, indexes: several(index), ...concern(), ...generic() }
    return {
      // of a refused command MongoDB makes no index, SecantusDB those before the refused one
      run: side => side.command(command).catch(async error => {
        await side.command({ drop: name })
        throw error
      })
    }
  },
  'listIndexes' () {
    const command = { listIndexes: one([...'abc', 'new', 'none', 'large']), cursor: {}, ...generic() }
    return {
      run: async side => {
        const { cursor, ok } = await side.command(command)
        // a direction keeps the type of its number there, here it is an int32
        const specs = cursor.firstBatch.map((spec: Document) => ({ ...spec, key: Object.entries(spec.key).map(([field, direction]) => [field, Number(direction)]) }))
        return [asSet(specs), cursor.ns, cursor.id.isZero(), ok]
      }
    }
  },
  'drop' () {
    const command = { drop: one(['new', 'fresh', 'none', ...chance(0.2) ? 'abc' : []]), ...concern(), ...generic() }
    return { run: side => side.command(command) }
  },
  'dropDatabase' () {
    const command = { dropDatabase: 1, ...concern() }
    return {
      run: async side => {
        const other = side.client.db(`${database}_2`)
        await other.collection('a').insertOne({})
        const { ok, dropped } = await other.command(command, exact)
        return { ok, dropped }
      }
    }
  }
}

/** No binary: SecantusDB takes two of different subtypes for equal, and what it changed by that would differ in all later cases. */
function plainId (): unknown {
  for (;;) {
    const found = id()
    if (!(found instanceof Binary)) return found
  }
}

/** With the results of the operations, but for their messages. */
async function bulk (side: Side, command: Document): Promise<Document> {
  const { cursor, ok, nErrors, nInserted, nMatched, nModified, nUpserted, nDeleted } = await side.client.db('admin').command(command, exact)
  const results = cursor.firstBatch.map(({ ok, idx, n, nModified, code }: Document) => ({ ok: Number(ok), idx, n, nModified, code }))
  return { results, ns: cursor.ns, ok, nErrors, nInserted, nMatched, nModified, nUpserted, nDeleted }
}

function several<T> (make: () => T): T[] {
  return Array.from({ length: 1 + upTo(4) }, make)
}

function concern (): Document {
  return { ...(chance(0.8) && { writeConcern: one(writeConcerns) }) }
}

/**
 * $set, $setOnInsert and $inc, seldom of one field at once. New fields come in the order of their names, as MongoDB appends them
 * (reference/operator/update/set): SecantusDB takes them as they come.
 */
export function update (): Document {
  const names = some(['extra', 'm', 'n', 'name', 'type', 'ünï'], 1, 6).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const operators = some(['$set', '$setOnInsert', '$inc'], 1, 3)
  const share = Math.ceil(names.length / operators.length)
  return Object.fromEntries(operators.map((operator, place) => {
    const own = [...names.slice(place * share, (place + 1) * share), ...chance(0.03) ? [fieldName()] : []]
    // a missing field becomes what is added, -0.0 too (reference/operator/update/inc): SecantusDB makes it 0.0
    const operand = operator === '$inc' ? () => number({ minusZero: false }) : value
    return [operator, Object.fromEntries(own.map(name => [name, operand()]))]
  }))
}

/** One by which documents expire is on a field that no document of these collections has, so that nothing of them does. */
function index (): Document {
  if (chance(0.5)) return { ...sortIndex(one([...indexed, 'x'])), ...chance(0.1) && { name: 'own' } }
  const field = one(['x', 'y', 'z'])
  return { key: { [field]: one([1, new Int32(1), Long.fromNumber(1)]) }, name: chance(0.8) ? `${field}_1` : one(['x_1', 'y_1', 'own']), expireAfterSeconds: one([0, 0, 0, 3600]) }
}
