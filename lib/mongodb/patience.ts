import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../http/errors.js'

/** How long the work of one long request waits for a database that is away, and how long between two tries. */
const PATIENCE_MS = 30_000
const RETRY_MS = 250

/**
 * Tries again while the database is away, for as long as somebody waits. For reads, and for writes that may be made twice.
 * Throws StoreUnavailableError once that takes too long, or the signal's reason.
 */
export async function patiently<T> (work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > until) throw error
      await sleep(RETRY_MS, undefined, { signal })
    }
  }
}
