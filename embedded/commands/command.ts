import { Double, Long, serialize, type Document } from 'bson'
import { append, arrayOf, types } from '../bson.js'
import type { Cursors } from '../cursors.js'
import type { Request } from '../request.js'
import type { Storage } from '../storage.js'

/** What a command works on. */
export interface Context {
  storage: Storage
  cursors: Cursors
  /** What a sort may keep in memory; MongoDB's limit by default. */
  sortLimitBytes?: number | undefined
  connectionId: number
}

/** What a command does; resolves with the reply's document. */
export type Run = (request: Request, context: Context) => Uint8Array | Promise<Uint8Array>

/** A successful reply. MongoDB's `ok` is a double. */
export function ok (fields: Document = {}): Uint8Array {
  return serialize({ ...fields, ok: new Double(1) })
}

/** The reply of find, aggregate and getMore; `id` is 0 when there is no more to get. Documents go out as they are stored. */
export function cursorReply (namespace: string, id: bigint, batchName: 'firstBatch' | 'nextBatch', documents: Buffer[]): Uint8Array {
  const cursor = serialize({ id: Long.fromBigInt(id), ns: namespace })
  return append(ok(), types.object, 'cursor', append(cursor, types.array, batchName, arrayOf(documents)))
}
