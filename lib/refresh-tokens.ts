import { createHash, randomBytes } from 'node:crypto'
import type { Collection } from 'mongodb'
import { abortable } from './driver-options.js'
import type { StoredUser } from '../schemas/user.js'
import { isDuplicateId, type StoreGuard } from './store-guard.js'

/** How long after its login a family ends, however often it was refreshed: 30 days, in milliseconds. */
const FAMILY_LIFE_MS = 30 * 24 * 60 * 60 * 1000

/** 128 random bits for the family, 256 for the secret. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/

/**
 * All refresh tokens that go back to one login: of them only the newest is good (RFC 9700 section 4.14.2).
 * One document stands for them, so that a refresh is one atomic change, and to revoke is to delete.
 */
export interface TokenFamily {
  /** The part of the token that stays. */
  _id: string
  username: string
  scopes: string[]
  /** SHA-256 of the newest secret, base64url. It has 256 random bits, so a slow hash would add nothing. */
  token_hash: string
  /** That of the user at the login: with another password the family ends. */
  password_changed_at: number
  /** MongoDB's TTL index deletes the family some time after this. */
  expires_at: Date
}

/** Refresh tokens (RFC 6749 section 1.5) that are replaced at each use. They are stored by their hash alone. */
export class RefreshTokens {
  #families: Collection<TokenFamily>
  #guard: StoreGuard
  #now: () => number

  constructor (families: Collection<TokenFamily>, guard: StoreGuard, now: () => number = Date.now) {
    this.#families = families
    this.#guard = guard
    this.#now = now
  }

  /** The first refresh token of a new family, for the user as the login found it. */
  async issue ({ username, password_changed_at: changedAt = 0 }: StoredUser, scopes: string[]): Promise<string> {
    const secret = randomText(32)
    const family = {
      _id: randomText(16),
      username,
      scopes,
      token_hash: hashOf(secret),
      password_changed_at: changedAt,
      expires_at: new Date(this.#now() + FAMILY_LIFE_MS)
    }
    await this.#guard.write((signal) => this.#families.insertOne(family, abortable(signal)).catch(unlessOwnDuplicate))
    return `${family._id}.${secret}`
  }

  /** The living family of a token, and whether the token is its newest; undefined where there is none. */
  async find (token: string): Promise<{ family: TokenFamily, isCurrent: boolean } | undefined> {
    const [, _id = '', secret = ''] = TOKEN.exec(token) ?? []
    if (!_id) return undefined
    const family = await this.#guard.read((signal) => this.#families.findOne({ _id }, { signal }))
    if (!family || family.expires_at.getTime() <= this.#now()) return undefined
    return { family, isCurrent: family.token_hash === hashOf(secret) }
  }

  /** The token that takes the place of the family's newest; undefined where another request was quicker. */
  async rotate ({ _id, token_hash: oldHash }: TokenFamily): Promise<string | undefined> {
    const secret = randomText(32)
    const update = { $set: { token_hash: hashOf(secret) } }
    const family = await this.#guard.write((signal) =>
      this.#families.findOneAndUpdate({ _id, token_hash: oldHash }, update, abortable(signal)))
    return family ? `${_id}.${secret}` : undefined
  }

  /** Ends a family: none of its tokens is good any more. */
  async revoke ({ _id }: TokenFamily): Promise<void> {
    await this.#guard.write((signal) => this.#families.deleteOne({ _id }, abortable(signal)))
  }
}

/** The `_id` was made for this family, so one that is there already is this one, whose first answer was lost. */
function unlessOwnDuplicate (error: unknown): void {
  if (!isDuplicateId(error)) throw error
}

function randomText (bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

function hashOf (secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
