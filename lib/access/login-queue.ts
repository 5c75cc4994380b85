import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'
import { LoginsBusyError } from '../http/errors.js'

/** Each takes a processor for tens of milliseconds: half of them stay with everything else. */
const AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2))

/** So many wait at most: about as long as a client does. */
const MAX_WAITING = 64

export interface LoginQueueOptions {
  atOnce?: number
  maxWaiting?: number
}

/** Where passwords are checked: few at once, and others wait for their turn, as long as that is worth it. */
export class LoginQueue {
  #limit: ReturnType<typeof pLimit>
  #maxWaiting: number

  constructor ({ atOnce = AT_ONCE, maxWaiting = MAX_WAITING }: LoginQueueOptions = {}) {
    this.#limit = pLimit(atOnce)
    this.#maxWaiting = maxWaiting
  }

  /** Throws LoginsBusyError where so many wait already that another one would wait in vain. */
  async run<T> (login: () => Promise<T>): Promise<T> {
    if (this.#limit.pendingCount >= this.#maxWaiting) throw new LoginsBusyError()
    return this.#limit(login)
  }
}
