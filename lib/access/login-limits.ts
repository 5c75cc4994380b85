import { createHash, randomBytes, randomInt } from 'node:crypto'
import type { Collection } from 'mongodb'
import { abortable } from '../mongodb/driver-options.js'
import { DuplicateKeyError } from '../http/errors.js'
import type { StoreGuard } from '../mongodb/store-guard.js'

/** How long failed logins count, in milliseconds; windows begin at multiples of it. */
export const WINDOW_MS = 15 * 60 * 1000

/** How many logins may fail in one window. */
export const LIMITS = { account: 10, address: 100 } as const

/** So many attempts of a counter can be told apart: one whose mark another one took, and that may or may not be counted, stays so. */
const MARKS = 16

/** So many counters are remembered whose attempts have to be taken off once the database answers again. */
const MAX_OWED = 10_000

/** The logins that failed in one window, of one account or from one network; `by_0` to `by_15` name the last attempts of it. */
export interface LoginCounter extends Partial<Record<`by_${number}`, string>> {
  _id: string
  count: number
  /** The end of the window; MongoDB's TTL index deletes the counter some time after it. */
  expires_at: Date
}

/** A login that was counted. */
export interface LoginAttempt {
  /** Where it was counted. */
  account: string
  address: string
  /** By which it is taken off once, however often that is tried. */
  mark: Mark
  /** Where it is one too many: the seconds until the next may be made. */
  retryAfterS?: number
}

interface Mark {
  field: `by_${number}`
  value: string
}

/**
 * How many logins may fail, for all processes on one database. An attempt is counted before its password is looked at,
 * and taken off when it succeeds: so many at once are no more than so many in turn. Where the database does not say in time
 * whether it has counted an attempt, or taken one off, that is taken off before the next attempt on the same counter.
 */
export class LoginLimits {
  #counters: Collection<LoginCounter>
  #guard: StoreGuard
  #now: () => number
  #owed = new Map<string, Mark[]>()
  /** Where the marks of this process begin; one after the other, so that its own do not meet soon. */
  #turn = randomInt(MARKS)

  constructor (counters: Collection<LoginCounter>, guard: StoreGuard, now: () => number = Date.now) {
    this.#counters = counters
    this.#guard = guard
    this.#now = now
  }

  /** Counts an attempt on an account from a network. */
  async count (username: string, network: string): Promise<LoginAttempt> {
    const now = this.#now()
    const windowEnd = windowEndOf(now)
    const attempt = {
      account: accountOf(username, windowEnd),
      address: `address:${network}:${windowEnd}`,
      mark: { field: `by_${this.#turn++ % MARKS}`, value: randomBytes(16).toString('base64url') } as const
    }
    const expiresAt = new Date(windowEnd)
    try {
      // an address over its limit can't use up those of accounts
      const isOver = await this.#add(attempt.address, attempt.mark, expiresAt) > LIMITS.address ||
        await this.#add(attempt.account, attempt.mark, expiresAt) > LIMITS.account
      return isOver ? { ...attempt, retryAfterS: Math.ceil((windowEnd - now) / 1000) } : attempt
    } catch (error) {
      // either may have been counted
      for (const _id of [attempt.address, attempt.account]) this.#owe(_id, attempt.mark)
      throw error
    }
  }

  /** The attempt succeeded: its account begins anew, and its address has one less. */
  async forgive ({ account, address, mark }: LoginAttempt): Promise<void> {
    await Promise.all([
      this.#guard.write((signal) => this.#counters.deleteOne({ _id: account }, abortable(signal))),
      this.#takeOff(address, mark)
    ])
  }

  /** The account begins anew: a lock ends. */
  async unlock (username: string): Promise<void> {
    const _id = accountOf(username, windowEndOf(this.#now()))
    await this.#guard.write((signal) => this.#counters.deleteOne({ _id }, abortable(signal)))
  }

  /** The attempt came to no end: it counts neither way. */
  async withdraw ({ account, address, mark }: LoginAttempt): Promise<void> {
    await Promise.all([this.#takeOff(account, mark), this.#takeOff(address, mark)])
  }

  async #takeOff (_id: string, mark: Mark, condition: Partial<LoginCounter> = {}): Promise<void> {
    const update = { $inc: { count: -1 }, $set: { [mark.field]: '' } }
    try {
      await this.#guard.write((signal) => this.#counters.findOneAndUpdate({ _id, ...condition }, update, abortable(signal)))
    } catch (error) {
      this.#owe(_id, mark)
      throw error
    }
  }

  /** Of more marks than can be told apart the first are kept: once a database is known to be away, nothing is counted. */
  #owe (_id: string, mark: Mark): void {
    const owed = this.#owed.get(_id) ?? []
    const hasRoom = owed.length > 0 ? owed.length < MARKS : this.#owed.size < MAX_OWED
    if (hasRoom) this.#owed.set(_id, [...owed, mark])
  }

  /** Takes off what is owed: once, since the mark goes with it. */
  async #settle (_id: string): Promise<void> {
    const owed = this.#owed.get(_id) ?? []
    this.#owed.delete(_id)
    await Promise.all(owed.map(async (mark) => this.#takeOff(_id, mark, { [mark.field]: mark.value })))
  }

  /** One more; where that can't be told, no end of them. */
  async #add (_id: string, mark: Mark, expiresAt: Date): Promise<number> {
    await this.#settle(_id)
    // of two that begin a counter at once, a server may refuse one, and then there is a counter for the second time
    return await this.#increment(_id, mark, expiresAt) ?? await this.#increment(_id, mark, expiresAt) ?? Infinity
  }

  async #increment (_id: string, { field, value }: Mark, expiresAt: Date): Promise<number | undefined> {
    const update = { $inc: { count: 1 }, $set: { [field]: value }, $setOnInsert: { expires_at: expiresAt } }
    try {
      const counter = await this.#guard.write((signal) =>
        this.#counters.findOneAndUpdate({ _id }, update, { upsert: true, returnDocument: 'after', ...abortable(signal) }))
      return counter?.count
    } catch (error) {
      if (error instanceof DuplicateKeyError) return undefined
      throw error
    }
  }
}

function windowEndOf (now: number): number {
  return (Math.floor(now / WINDOW_MS) + 1) * WINDOW_MS
}

/** By hash: what is typed as a username may be a password, and of any length. */
function accountOf (username: string, windowEnd: number): string {
  return `account:${createHash('sha256').update(username).digest('base64url')}:${windowEnd}`
}
