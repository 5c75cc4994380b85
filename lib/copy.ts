import { createHash, type Hash } from 'node:crypto'
import { MongoBulkWriteError, type Collection, type Document, type FindOptions } from 'mongodb'

/** Documents per round trip. */
const BATCH = 1_000

const DUPLICATE_KEY = 11000

/** Every BSON type as it is: neither numbers nor bytes become JavaScript's. */
const AS_STORED: FindOptions = { promoteValues: false, promoteBuffers: false, promoteLongs: false, bsonRegExp: true, ignoreUndefined: false }

export interface Copied {
  /** Documents of the source. */
  documents: number
  /** How many of them the target lacked. */
  copied: number
  /** Whether the target now has each of them as the source has it: one SHA-256 over the documents' BSON in the order of `_id`. */
  isSame: boolean
}

/**
 * Copies what the target lacks, by `_id`; a document that it has stays as it is, since it may be the newer one. So it can be
 * run again. Throws the driver's errors, also where another unique index of the target refuses a document.
 */
export async function copyCollection (source: Collection, target: Collection, onProgress: (documents: number) => void): Promise<Copied> {
  let copied = 0
  for await (const batch of batches(source, AS_STORED)) {
    copied += await insertMissing(target, batch)
    onProgress(batch.length)
  }
  return { copied, ...await compare(source, target) }
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

async function compare (source: Collection, target: Collection): Promise<Omit<Copied, 'copied'>> {
  const hashes = [createHash('sha256'), createHash('sha256')] as const
  let documents = 0
  for await (const batch of batches(source, AS_STORED)) {
    const ids = batch.map(({ _id }) => _id)
    documents += batch.length
    await Promise.all([hashAll(source, ids, hashes[0]), hashAll(target, ids, hashes[1])])
  }
  return { documents, isSame: hashes[0].digest('hex') === hashes[1].digest('hex') }
}

async function hashAll (collection: Collection, ids: unknown[], hash: Hash): Promise<void> {
  const filter = { _id: { $in: ids as never[] } } // ids are of any type
  // with raw, a document is its bytes
  const documents = collection.find(filter, { raw: true, sort: { _id: 1 }, batchSize: BATCH }) as unknown as AsyncIterable<Buffer>
  for await (const document of documents) hash.update(document)
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
