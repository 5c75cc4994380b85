import type { Judge } from './judge.js'

/** After a fault has ended, requests that begin so much later have to succeed. */
export const RECOVERY_MS = 3_000

/** Looks how long after each fault requests still fail. */
export class Recovery {
  /** The longest that it took, in milliseconds. */
  longest = 0
  #judge: Judge
  #calmSince: number | undefined
  #hasSucceeded = false

  constructor (judge: Judge, now: number) {
    this.#judge = judge
    this.#calmSince = now
  }

  faultBegan (now: number): void {
    const hadTime = this.#calmSince !== undefined && now - this.#calmSince > RECOVERY_MS
    if (hadTime && !this.#hasSucceeded) this.#judge.violate('slow recovery', `nothing succeeded within ${RECOVERY_MS} ms after a fault`)
    this.#calmSince = undefined
  }

  faultEnded (now: number): void {
    this.#calmSince = now
    this.#hasSucceeded = false
  }

  /** Takes each request that was answered. One that began before the fault ended tells nothing. */
  answered (isSuccess: boolean, startedAt: number): void {
    if (this.#calmSince === undefined || startedAt < this.#calmSince) return
    if (isSuccess) {
      this.#hasSucceeded = true
      return
    }
    const after = startedAt - this.#calmSince
    this.longest = Math.max(this.longest, after)
    if (after > RECOVERY_MS) this.#judge.violate('slow recovery', `a request that began ${Math.round(after)} ms after a fault was 503`)
  }
}
