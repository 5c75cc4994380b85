import type { Collection, Document, Filter } from 'mongodb'
import { BSON_OPTIONS } from './driver-options.js'
import { isRetryableRead } from './outage.js'

export interface FindOptions {
  /** How many documents at most. */
  limit: number
  /** The order, by field; without it the server's own. */
  sort?: Readonly<Record<string, 1 | -1>>
  /** How many documents of it to leave out first. */
  skip?: number
  /** The fields of the documents that are read; all of them without it. */
  projection?: Readonly<Record<string, 1>>
  /** Ends the operation when it is aborted. */
  signal?: AbortSignal
}

interface FindReply {
  cursor: { id: unknown, firstBatch: Buffer[] }
}

/** Of the id, which has to go back as an int64, JavaScript's numbers would make something else. */
const REPLY_OPTIONS = { ...BSON_OPTIONS, promoteLongs: false, fieldsAsRaw: { firstBatch: true } }

/**
 * Finds documents as their bytes, in one reply where they fit. Why not by the driver's cursor: its work for each document
 * is a tenth of what a read costs. But it has what a bare command lacks: it asks again where that may help, and goes
 * on where a reply is full (16 MiB). So in both cases it is asked after all, which a read allows.
 */
export async function findRaw<T extends Document> (collection: Collection<T>, filter: Filter<T>, options: FindOptions): Promise<Buffer[]> {
  return await findAtOnce(collection, filter, options) ?? findByCursor(collection, filter, options)
}

/** Undefined if one reply does not hold all, or if it is worth to ask again. */
async function findAtOnce<T extends Document> (
  collection: Collection<T>, filter: Filter<T>, { limit, sort, skip, projection, signal }: FindOptions): Promise<Buffer[] | undefined> {
  const { db, collectionName, readConcern, readPreference } = collection
  const options = { ...REPLY_OPTIONS, ...readPreference && { readPreference }, ...signal && { signal } }
  const find = {
    find: collectionName,
    filter,
    ...sort && { sort },
    ...skip && { skip },
    limit,
    // one batch, where the default is 101 documents; of no more than the limit the server would leave the cursor open
    batchSize: limit + 1,
    ...projection && { projection },
    ...readConcern && { readConcern: readConcern.toJSON() }
  }
  try {
    const { cursor } = await db.command(find, options) as Document as FindReply // as MongoDB's manual has it
    if (Number(cursor.id) === 0) return cursor.firstBatch
    // nobody waits for that: what it does not reach, the server ends after its time
    db.command({ killCursors: collectionName, cursors: [cursor.id] }, options).catch(() => {})
  } catch (error) {
    if (signal?.aborted || !isRetryableRead(error) || !db.client.options.retryReads) throw error
  }
  return undefined
}

async function findByCursor<T extends Document> (collection: Collection<T>, filter: Filter<T>, options: FindOptions): Promise<Buffer[]> {
  const documents = await collection.find(filter, { ...options, batchSize: options.limit, raw: true }).toArray()
  return documents as Document[] as Buffer[] // with raw: true the driver answers bytes, which its types do not say
}
