import type { Collection, Document, Filter } from 'mongodb'
import { BSON_OPTIONS } from './driver-options.js'

interface FindReply {
  cursor: { id: unknown, firstBatch: Buffer[] }
}

/** Of the id, which has to go back as an int64, JavaScript's numbers would make something else. */
const REPLY_OPTIONS = { ...BSON_OPTIONS, promoteLongs: false, fieldsAsRaw: { firstBatch: true } }

/** The errors after which the driver's cursor asks once more (specification "Retryable Reads"), by name and by MongoDB's code. */
const LOST = new Set<unknown>(['MongoNetworkError', 'MongoPoolClearedError', 'MongoPoolClearedOnNetworkError'])
const NO_PRIMARY = new Set<unknown>([91, 189, 10107, 11600, 11602, 13435, 13436])

/**
 * Finds documents as their bytes, in one reply where they fit. Why not by the driver's cursor: its work for each document
 * is a tenth of what a read costs. But it has what a bare command lacks: it asks again after a lost connection, and goes
 * on where a reply is full (16 MiB). So in both cases it is asked after all, which a read allows.
 */
export async function findRaw<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[]> {
  return await findAtOnce(collection, filter, limit) ?? findByCursor(collection, filter, limit)
}

/** Undefined if one reply does not hold all, or if it is worth to ask again. */
async function findAtOnce<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[] | undefined> {
  const { db, collectionName, readConcern, readPreference } = collection
  const options = { ...REPLY_OPTIONS, ...readPreference && { readPreference } }
  // one batch, where the default is 101 documents; of no more than the limit the server would leave the cursor open
  const find = { find: collectionName, filter, limit, batchSize: limit + 1, ...readConcern && { readConcern: readConcern.toJSON() } }
  try {
    const { cursor } = await db.command(find, options) as Document as FindReply // as MongoDB's manual has it
    if (Number(cursor.id) === 0) return cursor.firstBatch
    // nobody waits for that: what it does not reach, the server ends after its time
    db.command({ killCursors: collectionName, cursors: [cursor.id] }, options).catch(() => {})
  } catch (error) {
    if (!isRetryable(error) || !db.client.options.retryReads) throw error
  }
  return undefined
}

function isRetryable (error: unknown): boolean {
  return error instanceof Error && (LOST.has(error.name) || ('code' in error && NO_PRIMARY.has(error.code)))
}

async function findByCursor<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[]> {
  const documents = await collection.find(filter, { limit, batchSize: limit, raw: true }).toArray()
  return documents as Document[] as Buffer[] // with raw: true the driver answers bytes, which its types do not say
}
