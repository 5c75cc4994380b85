import type { Collection, Document, Filter } from 'mongodb'
import { BSON_OPTIONS } from './driver-options.js'

interface FindReply {
  cursor: { id: unknown, firstBatch: Buffer[] }
}

const REPLY_OPTIONS = { ...BSON_OPTIONS, fieldsAsRaw: { firstBatch: true } }

/**
 * Finds documents as their bytes, in one reply where they fit. Why not by the driver's cursor: its work for each document
 * is a tenth of what a read costs. But it has what a bare command lacks: it asks again after a lost connection, and goes
 * on where a reply is full (16 MiB). So in both cases it is asked after all, which a read allows.
 */
export async function findRaw<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[]> {
  return await findAtOnce(collection, filter, limit).catch(() => undefined) ?? findByCursor(collection, filter, limit)
}

/** Undefined if one reply does not hold all. */
async function findAtOnce<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[] | undefined> {
  const { db, collectionName, readConcern, readPreference } = collection
  const options = { ...REPLY_OPTIONS, ...readPreference && { readPreference } }
  // one batch, where the default is 101 documents; of no more than the limit the server would leave the cursor open
  const find = { find: collectionName, filter, limit, batchSize: limit + 1, ...readConcern && { readConcern: readConcern.toJSON() } }
  const { cursor } = await db.command(find, options) as Document as FindReply // as MongoDB's manual has it
  if (Number(cursor.id) === 0) return cursor.firstBatch
  await db.command({ killCursors: collectionName, cursors: [cursor.id] })
  return undefined
}

async function findByCursor<T extends Document> (collection: Collection<T>, filter: Filter<T>, limit: number): Promise<Buffer[]> {
  const documents = await collection.find(filter, { limit, batchSize: limit, raw: true }).toArray()
  return documents as Document[] as Buffer[] // with raw: true the driver answers bytes, which its types do not say
}
