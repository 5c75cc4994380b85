/*
 * One way to say "so long, and no longer": a deadline belongs to whoever waits, a signal to the operation, and an operation
 * that nobody waits for any more is aborted.
 */

/** There was no answer within the limit of the one who waited. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'

  constructor (limitMs: number) {
    super(`no answer within ${limitMs} ms`)
  }
}

/** The operation failed before anything of it was sent; `cause` says why. */
export class NotSentError extends Error {
  override name = 'NotSentError'

  constructor (cause: unknown) {
    super('nothing was sent', { cause })
  }
}

/** One who waits, up to a limit of their own. Only the first to settle it counts. */
export class Waiter<T> {
  readonly resolve: (result: T) => void
  readonly reject: (error: unknown) => void
  #timer: NodeJS.Timeout

  /** Takes what settles the promise that is waited for. `timeOut` is called at the limit, and has to reject. */
  constructor (resolve: (result: T) => void, reject: (error: unknown) => void, limitMs: number, timeOut: (error: TimeoutError) => void) {
    this.resolve = resolve
    this.reject = reject
    // AbortSignal.timeout() costs more, and its timer would outlive the operation
    this.#timer = setTimeout(() => timeOut(new TimeoutError(limitMs)), limitMs)
  }

  /** From here on the waiter is not late any more. */
  stopClock (): void {
    clearTimeout(this.#timer)
  }
}

/**
 * The operation's outcome. Without one within the limit the caller gets TimeoutError, and the operation's signal is aborted;
 * what it ends with afterwards is nobody's.
 */
export async function withDeadline<T> (limitMs: number, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const waiter = new Waiter(resolve, reject, limitMs, (error) => {
      reject(error)
      controller.abort(error)
    })
    operation(controller.signal).then(resolve, reject).finally(() => waiter.stopClock())
  })
}
