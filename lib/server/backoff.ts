const FIRST_MS = 100
const MAX_MS = 10_000

/** Whoever has lived for so long did not fail by its start. */
const SETTLED_MS = 10_000

/** How long to wait before what ended is started again: longer each time, until something has lived for a while. */
export class Backoff {
  #delayMs = 0

  /** @param livedMs how long what ended has lived, in milliseconds */
  next (livedMs: number): number {
    const delayMs = livedMs >= SETTLED_MS ? 0 : this.#delayMs
    this.#delayMs = Math.min(MAX_MS, Math.max(FIRST_MS, 2 * delayMs))
    return delayMs
  }
}
