import type { Collection } from 'mongodb'
import { StoreUnavailableError } from '../http/errors.js'
import { abortable } from '../mongodb/driver-options.js'
import type { StoreGuard } from '../mongodb/store-guard.js'
import { ACCESS_TOKEN_LIFE_S } from './auth-options.js'
import type { TokenHolder } from './access-tokens.js'

/** How long what was read counts, in milliseconds: so long at most does a process take tokens that another one ended. */
export const MAX_AGE_MS = 1_000

/** By how much the clocks of processes may differ, in milliseconds, for an ending to be found by the next read. */
const SKEW_MS = 60_000

/** Up to when access tokens of a user were ended, but for those of one login. */
export interface TokenEnding {
  /** The name of the user. */
  _id: string
  /** Tokens that were signed before are refused. */
  ended_at: Date
  /** The login that goes on. */
  kept: string | null
  /** When the last of those tokens would have ended by itself; MongoDB's TTL index deletes the document some time after this. */
  expires_at: Date
}

type Holder = Pick<TokenHolder, 'username' | 'login' | 'issuedAtMs'>

export interface TokenEndingsOptions {
  /** How long an access token is good for, in seconds. */
  lifeS?: number | undefined
  now?: () => number
}

/**
 * Ends access tokens before their time, in all processes on one database. A process reads what was ended at most once a second, however many
 * requests there are; what it ended itself it knows at once.
 */
export class TokenEndings {
  #collection: Collection<TokenEnding>
  #guard: StoreGuard
  #lifeMs: number
  #now: () => number
  #known = new Map<string, TokenEnding>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor (collection: Collection<TokenEnding>, guard: StoreGuard, { lifeS = ACCESS_TOKEN_LIFE_S, now = Date.now }: TokenEndingsOptions = {}) {
    this.#collection = collection
    this.#guard = guard
    this.#lifeMs = lifeS * 1000
    this.#now = now
  }

  /** Ends the access tokens that a user has now, but for those of one login. */
  async end (username: string, kept: string | null = null): Promise<void> {
    const now = this.#now()
    const ending = { ended_at: new Date(now), kept, expires_at: new Date(now + this.#lifeMs) }
    await this.#guard.write((signal) =>
      this.#collection.findOneAndUpdate({ _id: username }, { $set: ending }, { upsert: true, ...abortable(signal) }))
    this.#known.set(username, { _id: username, ...ending })
  }

  /** Whether a token was ended, as far as this process knows: without a database it goes by what it knew before. */
  async isEnded (holder: Holder): Promise<boolean> {
    if (this.#now() - this.#readAt > MAX_AGE_MS) {
      await this.#readOnce().catch((error) => {
        if (!(error instanceof StoreUnavailableError)) throw error
        this.#readAt = this.#now() // the next second tries again
      })
    }
    return this.#isKnown(holder)
  }

  /** Whether a token was ended, by a read that began after this call. Throws StoreUnavailableError. */
  async isEndedNow (holder: Holder): Promise<boolean> {
    await this.#read()
    return this.#isKnown(holder)
  }

  #isKnown ({ username, login, issuedAtMs }: Holder): boolean {
    const ending = this.#known.get(username)
    return ending !== undefined && issuedAtMs < ending.ended_at.getTime() && (login === undefined || login !== ending.kept)
  }

  /** Requests that come at the same time share one read. */
  async #readOnce (): Promise<void> {
    this.#reading ??= this.#read().finally(() => { this.#reading = undefined })
    return this.#reading
  }

  async #read (): Promise<void> {
    const now = this.#now()
    // an ending expires one life after it was made: so this finds what was ended since the last read, and all that counts by the first one
    const since = new Date(Math.max(now, this.#readAt + this.#lifeMs - SKEW_MS))
    const endings = await this.#guard.read((signal) => this.#collection.find({ expires_at: { $gt: since } }, { signal }).toArray())
    for (const [username, { expires_at: expiresAt }] of this.#known) if (expiresAt.getTime() <= now) this.#known.delete(username)
    for (const ending of endings) this.#known.set(ending._id, ending)
    this.#readAt = now
  }
}
