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

/** The end of a turn: the next one may begin. */
export type EndTurn = () => void

/** Turns to check a password: few at once, and others wait for theirs, as long as that is worth it. */
export class LoginTurns {
  #limit: ReturnType<typeof pLimit>
  #maxWaiting: number

  constructor ({ atOnce = AT_ONCE, maxWaiting = MAX_WAITING }: LoginQueueOptions = {}) {
    this.#limit = pLimit(atOnce)
    this.#maxWaiting = maxWaiting
  }

  /** Resolves when the turn has come. Throws LoginsBusyError where so many wait already that another one would wait in vain. */
  async take (): Promise<EndTurn> {
    if (this.#limit.pendingCount >= this.#maxWaiting) throw new LoginsBusyError()
    return new Promise((resolve) => {
      // which is over when its end is called
      this.#limit(async () => new Promise<void>((_resolve) => resolve(_resolve)))
    })
  }
}

/** Where passwords are checked, each in its turn. */
export class LoginQueue {
  /** Gives a turn, of this process alone or of several. */
  take: () => Promise<EndTurn>

  constructor (options?: LoginQueueOptions) {
    const turns = new LoginTurns(options)
    this.take = async () => turns.take()
  }

  /** Throws LoginsBusyError where there is no turn to wait for. */
  async run<T> (login: () => Promise<T>): Promise<T> {
    const end = await this.take()
    return login().finally(end)
  }
}
