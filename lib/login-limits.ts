import { createHash } from 'node:crypto'
import type { Collection } from 'mongodb'
import { networkOf } from './client-network.js'
import { abortable } from './driver-options.js'
import { DuplicateKeyError } from './errors.js'
import type { StoreGuard } from './store-guard.js'

/** How long failed logins count, in milliseconds; windows begin at multiples of it. */
export const WINDOW_MS = 15 * 60 * 1000

/** How many logins may fail in one window. */
export const LIMITS = { account: 10, address: 100 } as const

/** The logins that failed in one window, of one account or from one network. */
export interface LoginCounter {
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
  /** Where it is one too many: the seconds until the next may be made. */
  retryAfterS?: number
}

/**
 * How many logins may fail, for all processes on one database. An attempt is counted before its password is looked at,
 * and taken off when it succeeds: so many at once are no more than so many in turn.
 */
export class LoginLimits {
  #counters: Collection<LoginCounter>
  #guard: StoreGuard
  #now: () => number

  constructor (counters: Collection<LoginCounter>, guard: StoreGuard, now: () => number = Date.now) {
    this.#counters = counters
    this.#guard = guard
    this.#now = now
  }

  /** Counts an attempt on an account from an IP address. */
  async count (username: string, ip: string): Promise<LoginAttempt> {
    const now = this.#now()
    const windowEnd = (Math.floor(now / WINDOW_MS) + 1) * WINDOW_MS
    const attempt = {
      // by hash: what is typed as a username may be a password, and of any length
      account: `account:${createHash('sha256').update(username).digest('base64url')}:${windowEnd}`,
      address: `address:${networkOf(ip)}:${windowEnd}`
    }
    const expiresAt = new Date(windowEnd)
    // an address over its limit can't use up those of accounts
    const isOver = await this.#add(attempt.address, expiresAt) > LIMITS.address ||
      await this.#add(attempt.account, expiresAt) > LIMITS.account
    return isOver ? { ...attempt, retryAfterS: Math.ceil((windowEnd - now) / 1000) } : attempt
  }

  /** The attempt succeeded: its account begins anew, and its address has one less. */
  async forgive ({ account, address }: LoginAttempt): Promise<void> {
    await Promise.all([
      this.#guard.write((signal) => this.#counters.deleteOne({ _id: account }, abortable(signal))),
      this.#takeOff(address)
    ])
  }

  /** The attempt came to no end: it counts neither way. */
  async withdraw ({ account, address }: LoginAttempt): Promise<void> {
    await Promise.all([this.#takeOff(account), this.#takeOff(address)])
  }

  async #takeOff (_id: string): Promise<void> {
    await this.#guard.write((signal) => this.#counters.findOneAndUpdate({ _id }, { $inc: { count: -1 } }, abortable(signal)))
  }

  /** One more; where that can't be told, no end of them. */
  async #add (_id: string, expiresAt: Date): Promise<number> {
    // of two that begin a counter at once, a server may refuse one, and then there is a counter for the second time
    return await this.#increment(_id, expiresAt) ?? await this.#increment(_id, expiresAt) ?? Infinity
  }

  async #increment (_id: string, expiresAt: Date): Promise<number | undefined> {
    const update = { $inc: { count: 1 }, $setOnInsert: { expires_at: expiresAt } }
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
