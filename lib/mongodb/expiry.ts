import type { Collection, Document } from 'mongodb'
import { abortable } from './driver-options.js'
import type { StoreGuard } from './store-guard.js'

/** As often as MongoDB itself. */
const INTERVAL_MS = 60_000

/** MongoDB's codes for what a server does not know: CommandNotFound, CommandNotSupported, NotImplemented. */
const UNSUPPORTED = new Set<unknown>([59, 115, 238])

interface Expiring extends Document {
  expires_at: Date
}

/**
 * Has the documents of a collection removed once their `expires_at` has passed: by a TTL index or, on a server that has none, from here.
 * Answers what ends that, undefined where the server does it.
 */
export async function removeExpired<T extends Expiring> (collection: Collection<T>, guard: StoreGuard): Promise<(() => void) | undefined> {
  try {
    await guard.write((signal) => collection.createIndex({ expires_at: 1 }, { expireAfterSeconds: 0, ...abortable(signal) }))
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && UNSUPPORTED.has(error.code))) throw error
  }
  const others = collection as unknown as Collection<Expiring> // the driver's types for filters are lost on a type parameter
  const sweep = () => {
    // what was not removed is found the next time, and counts for nothing until then
    guard.write((signal) => others.deleteMany({ expires_at: { $lte: new Date() } }, abortable(signal))).catch(() => {})
  }
  sweep()
  const timer = setInterval(sweep, INTERVAL_MS).unref()
  return () => clearInterval(timer)
}
