/** A process asks for the count of all only once it has counted this share of a quota itself: clients far from their quota cost nothing. */
const ASK_SHARE = 1 / 20

/** Near a quota it asks for each. */
const NEAR_SHARE = 0.8

/** So many keys are counted at most in one window; those beyond count together, as one. */
const MAX_KEYS = 100_000

const OTHERS = ''

/** Adds what a process has counted to what all have, and answers that. */
export type Share = (key: string, by: number, windowEnd: number) => Promise<number>

export interface QuotaOptions {
  /** How many requests a key has in one window. */
  quota: number
  windowMs: number
  now?: () => number
}

/** What a key has left. */
export interface Quota {
  isOver: boolean
  remaining: number
  /** The end of the window, in whole seconds. */
  resetS: number
}

interface Count {
  /** What all have counted, as far as is known. */
  shared: number
  /** What of that is not shared yet. */
  own: number
  isSharing: boolean
}

/**
 * How many requests each caller has had, in windows of a fixed length. Several processes count together, without a round trip for each request: each
 * counts for itself, adds its share now and then, and takes over the sum. So together they let more through than the quota by no more than what
 * each counts meanwhile: a twentieth of the quota, or near it what comes during one round trip. While the database is away each counts alone.
 */
export class Quotas {
  /** Without it this process counts alone. */
  share: Share | undefined
  #options: Required<QuotaOptions>
  #counts = new Map<string, Count>()
  #windowEnd = 0

  constructor ({ now = Date.now, ...options }: QuotaOptions) {
    this.#options = { now, ...options }
  }

  /** Counts a request of this key. */
  take (key: string): Quota {
    const { quota, windowMs, now } = this.#options
    const time = now()
    if (time >= this.#windowEnd) {
      this.#counts.clear()
      this.#windowEnd = (Math.floor(time / windowMs) + 1) * windowMs
    }
    const name = this.#counts.has(key) || this.#counts.size < MAX_KEYS ? key : OTHERS
    const count = this.#counts.get(name) ?? { shared: 0, own: 0, isSharing: false }
    this.#counts.set(name, count)
    const used = count.shared + count.own
    const resetS = Math.max(1, Math.ceil((this.#windowEnd - time) / 1000))
    // what is refused does not count, so a client that goes on asking is served again with the next window
    if (used >= quota) return { isOver: true, remaining: 0, resetS }
    count.own++
    this.#share(name, count)
    return { isOver: false, remaining: quota - used - 1, resetS }
  }

  #share (key: string, count: Count): void {
    const { quota } = this.#options
    const { share } = this
    const { shared, own, isSharing } = count
    const isDue = own >= quota * ASK_SHARE || shared + own >= quota * NEAR_SHARE
    if (!share || isSharing || !isDue) return
    count.isSharing = true
    share(key, own, this.#windowEnd).then((total) => {
      count.shared = total
      count.own -= own
    }, () => {}).finally(() => { count.isSharing = false })
  }
}
