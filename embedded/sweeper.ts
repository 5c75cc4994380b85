import { Collection, namespaces } from './collection.js'
import type { Storage } from './storage.js'

/** Documents removed in one transaction. */
const sliceLength = 500

export interface SweeperOptions {
  /** MongoDB's own, by default. */
  intervalMs?: number
  now?: () => number
}

/** Removes expired documents from time to time, some in each transaction, so that other writes get in between. */
export class Sweeper {
  private readonly storage: Storage
  private readonly now: () => number
  private readonly timer: NodeJS.Timeout
  private sweeping: Promise<void> | undefined
  private closing = false

  constructor (storage: Storage, { intervalMs = 60_000, now = Date.now }: SweeperOptions = {}) {
    this.storage = storage
    this.now = now
    this.timer = setInterval(() => this.sweep(), intervalMs).unref()
  }

  /** Resolves when what has expired by now is gone; one sweep at a time. */
  sweep (): Promise<void> {
    this.sweeping ??= this.removeExpired()
      // a full disk, for one: what was not removed is found the next time
      .catch(error => process.emitWarning(`The embedded store could not remove expired documents: ${String(error)}`))
      .finally(() => { this.sweeping = undefined })
    return this.sweeping
  }

  async close (): Promise<void> {
    clearInterval(this.timer)
    this.closing = true
    await this.sweeping
  }

  private async removeExpired (): Promise<void> {
    for (const namespace of namespaces(this.storage)) {
      const collection = new Collection(this.storage, namespace)
      const nowMs = this.now()
      let removed = sliceLength
      while (removed >= sliceLength && !this.closing) removed = await collection.write(() => collection.removeExpired(nowMs, sliceLength))
    }
  }
}
