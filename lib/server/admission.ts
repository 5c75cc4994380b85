/** Below so many requests under way nobody is turned away. */
const LEAST = 64

/** So many there may be at first, and again when all is well: a burst of them is answered before it is known how fast that goes. */
const AT_FIRST = 1_024

/** As many as there may be where answers are not late. */
const MOST = 8_192

/** By how much more are let in where some were turned away and the others did not wait long. */
const GROWTH = 1.25

/** What a look at the requests under way found. */
export interface Load {
  underWay: number
  /** How many are let in. */
  limit: number
}

/**
 * How many requests may be under way, so that those that are let in are answered in time. By Little's law that is what is answered in the time that one may wait:
 * it is measured once half of them have waited half of that time, and given up again once there are fewer.
 */
export class Admission {
  #maxWaitMs: number
  #now: () => number
  /** Since when each is under way, the oldest first. */
  #since = new Map<object, number>()
  #limit = AT_FIRST
  #answered = 0
  #refused = 0
  #sampledAt: number

  /** @param maxWaitMs how long an answer may take, in milliseconds */
  constructor (maxWaitMs: number, now: () => number = () => performance.now()) {
    this.#maxWaitMs = maxWaitMs
    this.#now = now
    this.#sampledAt = now()
  }

  get load (): Load {
    return { underWay: this.#since.size, limit: this.#limit }
  }

  /** Whether one more would have to be turned away. */
  refuses (): boolean {
    if (this.#since.size < this.#limit) return false
    this.#refused++
    return true
  }

  /** The request is worked on from now on. */
  enter (request: object): void {
    this.#since.set(request, this.#now())
  }

  /** Its answer is ready, or nobody waits for it any more. */
  leave (request: object): void {
    if (this.#since.delete(request)) this.#answered++
  }

  /** Looks at the requests under way, a few times a second. */
  sample (): void {
    const now = this.#now()
    const fitting = this.#answered / (now - this.#sampledAt) * this.#maxWaitMs
    const { size } = this.#since
    const waitedMs = now - this.#middle(now)
    if (size > LEAST && waitedMs > this.#maxWaitMs / 2) this.#limit = Math.min(MOST, Math.max(LEAST, Math.ceil(fitting)))
    else if (this.#refused > 0 && waitedMs < this.#maxWaitMs / 4) this.#limit = Math.min(MOST, Math.ceil(this.#limit * GROWTH))
    else if (size < this.#limit / 2 && this.#limit < AT_FIRST) this.#limit = Math.min(AT_FIRST, this.#limit * 2)
    this.#answered = 0
    this.#refused = 0
    this.#sampledAt = now
  }

  /** Since when the middle one of them is under way: a few that take long by themselves are no queue. */
  #middle (now: number): number {
    let left = Math.floor(this.#since.size / 2)
    for (const since of this.#since.values()) if (left-- === 0) return since
    return now
  }
}
