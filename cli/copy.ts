import { BSON, MongoBulkWriteError, type Collection, type Document, type FindOptions } from 'mongodb'

/** Documents per round trip. */
const BATCH = 1_000

/** Ids of a kind that are told; of the others only how many there are. */
const TOLD = 10

const DUPLICATE_KEY = 11000

/** Every BSON type as it is: neither numbers nor bytes become JavaScript's. */
const AS_STORED = { promoteValues: false, promoteBuffers: false, promoteLongs: false, bsonRegExp: true, ignoreUndefined: false } satisfies FindOptions

/** Documents of a kind: how many, and the ids of the first. */
export interface Group {
  count: number
  first: string[]
}

/** What the two databases have once all is copied. */
export interface Comparison {
  /** Documents of the source. */
  documents: number
  /** Those that are otherwise in the target. */
  differing: Group
  /** Those that the target lacks: they came after the copy. */
  missing: Group
  /** Documents of the target that the source lacks. */
  surplus: Group
}

/** What a run did. */
export interface Copied extends Comparison {
  /** Documents that are in the target now and were not before, with those that came in place of others. */
  copied: number
  /** Documents of the target that were removed for being different. */
  replaced: number
  /** Documents of the target that were removed because the source lacks them. */
  deleted: number
}

/**
 * Copies what the target lacks, by `_id`; a document that it has stays as it is, since it may be the newer one. So it can be
 * run again. With `isReplacing` the target gets what the source has, and loses what the source lacks. Answers what this run has
 * done, and compares both sides byte by byte, once. Throws the driver's errors, also where another unique index of the target
 * refuses a document.
 */
export async function copyCollection (source: Collection, target: Collection, onProgress: (documents: number) => void, isReplacing = false): Promise<Copied> {
  const { replaced, deleted } = isReplacing ? await makeRoom(source, target) : { replaced: 0, deleted: 0 }
  let copied = 0
  for await (const batch of batches(source, AS_STORED)) {
    copied += await insertMissing(target, batch)
    onProgress(batch.length)
  }
  return { copied, replaced, deleted, ...await compare(source, target) }
}

/** Deletes in the target what the source lacks, and what is otherwise there, which is then copied like what is missing. */
async function makeRoom (source: Collection, target: Collection): Promise<{ replaced: number, deleted: number }> {
  const done = { replaced: 0, deleted: 0 }
  for await (const batch of batches(target, AS_RAW)) {
    const here = await rawById(source, batch)
    const surplus = batch.map(identified).filter(({ key }) => !here.has(key))
    const differing = batch.map(identified).filter(({ key, bytes }) => here.get(key)?.equals(bytes) === false)
    if (surplus.length + differing.length === 0) continue
    await target.deleteMany({ _id: { $in: [...surplus, ...differing].map(({ id }) => id as never) } }) // ids are of any type
    done.deleted += surplus.length
    done.replaced += differing.length
  }
  return done
}

async function insertMissing (target: Collection, batch: Document[]): Promise<number> {
  try {
    const { insertedCount } = await target.insertMany(batch, { ordered: false, ignoreUndefined: false })
    return insertedCount
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || !refusedById(error)) throw error
    return error.insertedCount
  }
}

/** Whether nothing went wrong but that documents are there. */
function refusedById ({ writeErrors, result }: MongoBulkWriteError): boolean {
  const isThere = ({ code, err }: { code: number, err: { errmsg: string } }) => code === DUPLICATE_KEY && err.errmsg.includes('index: _id_ ')
  return [writeErrors].flat().every(isThere) && result.getWriteConcernError() === undefined
}

/** Compares both sides byte by byte, and changes nothing. */
export async function compare (source: Collection, target: Collection): Promise<Comparison> {
  const comparison: Comparison = { documents: 0, differing: noGroup(), missing: noGroup(), surplus: noGroup() }
  for await (const batch of batches(source, AS_RAW)) {
    const there = await rawById(target, batch)
    comparison.documents += batch.length
    for (const { id, key, bytes } of batch.map(identified)) {
      const copy = there.get(key)
      if (copy === undefined) add(comparison.missing, id)
      else if (!copy.equals(bytes)) add(comparison.differing, id)
    }
  }
  for await (const batch of batches(target, AS_RAW)) {
    const here = await rawById(source, batch)
    for (const { id, key } of batch.map(identified)) if (!here.has(key)) add(comparison.surplus, id)
  }
  return comparison
}

const AS_RAW = { raw: true } satisfies FindOptions

interface Identified {
  id: unknown
  /** The id's bytes. */
  key: string
  bytes: Buffer
}

function identified (document: Document): Identified {
  const bytes = document as Buffer // with raw, a document is its bytes
  const { _id } = BSON.deserialize(bytes, AS_STORED)
  return { id: _id, key: Buffer.from(BSON.serialize({ _id })).toString('latin1'), bytes }
}

/** The documents with the ids of these, each by its id's bytes. */
async function rawById (collection: Collection, documents: Document[]): Promise<Map<string, Buffer>> {
  const filter = { _id: { $in: documents.map(identified).map(({ id }) => id as never) } } // ids are of any type
  const found = await collection.find(filter, { ...AS_RAW, batchSize: BATCH }).toArray()
  return new Map(found.map(identified).map(({ key, bytes }) => [key, bytes]))
}

function noGroup (): Group {
  return { count: 0, first: [] }
}

function add (group: Group, id: unknown): void {
  group.count++
  if (group.first.length < TOLD) group.first.push(typeof id === 'string' ? id : shown(id))
}

function shown (id: unknown): string {
  return id instanceof BSON.ObjectId ? id.toHexString() : BSON.EJSON.stringify(id)
}

async function * batches (collection: Collection, options: FindOptions): AsyncGenerator<Document[]> {
  let batch: Document[] = []
  for await (const document of collection.find({}, { ...options, sort: { _id: 1 }, batchSize: BATCH })) {
    batch.push(document)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
