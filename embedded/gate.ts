/** No commit is under way, one is, or none may begin any more. */
const open = 0
const passing = 1
const shut = 2

/** Longer than any sync of a working disk: a process that is to end does not wait for a broken one. */
const waitMs = 5_000

/**
 * Keeps a process from ending in the middle of a commit. A worker thread is cut off wherever it is when its process exits, and one that is cut
 * off while it holds LMDB's write lock leaves the exit waiting for that lock for ever. The gate lives in memory that both threads share.
 */
export class Gate {
  private readonly state: Int32Array

  constructor (readonly memory = new SharedArrayBuffer(4)) {
    this.state = new Int32Array(memory)
  }

  /** Whether a commit may begin. If so, `leave` has to follow. */
  enter (): boolean {
    return Atomics.compareExchange(this.state, 0, open, passing) === open
  }

  leave (): void {
    Atomics.store(this.state, 0, open)
    Atomics.notify(this.state, 0)
  }

  /** Waits for the commit under way, and lets none begin after it. */
  readonly shut = (): void => {
    const until = performance.now() + waitMs
    while (Atomics.compareExchange(this.state, 0, open, shut) === passing && performance.now() < until) {
      Atomics.wait(this.state, 0, passing, waitMs)
    }
  }
}
