import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Collection } from 'mongodb'
import { abortable } from '../mongodb/driver-options.js'
import { REFRESH_TOKEN_LIFE_S } from './auth-options.js'
import type { StoredUser } from '../../schemas/user.js'
import { isDuplicateId, type StoreGuard } from '../mongodb/store-guard.js'

/** How long after a refresh the same token gets the same answer again, in milliseconds: two tabs at once, or an answer that was lost. */
export const GRACE_MS = 10_000

/** 128 random bits for the family, 256 for the secret. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/

/**
 * All refresh tokens that go back to one login: of them only the newest is good (RFC 9700 section 4.14.2), and for a moment the one before.
 * One document stands for them, so that a refresh is one atomic change, and to revoke is to delete.
 */
export interface TokenFamily {
  /** The part of the token that stays. */
  _id: string
  username: string
  scopes: string[]
  /** SHA-256 of the newest secret, base64url. It has 256 random bits, so a slow hash would add nothing. */
  token_hash: string
  /** The hash before that, from the first refresh on, and when it was replaced. */
  previous_hash?: string
  replaced_at?: Date
  /** That of the user at the login: with another password the family ends. */
  password_changed_at: number
  /** MongoDB's TTL index deletes the family some time after this. */
  expires_at: Date
}

/** What a token is within its family: the newest, the one that the newest took the place of a moment ago, or an older one. */
export type TokenState = 'current' | 'recent' | 'used'

export interface FoundToken {
  family: TokenFamily
  secret: string
  state: TokenState
}

export interface RefreshTokenOptions {
  /** How long after its login a family ends, however often it was refreshed, in seconds. */
  lifeS?: number | undefined
  now?: () => number
}

/**
 * Refresh tokens (RFC 6749 section 1.5) that are replaced at each use. They are stored by their hash alone. Each follows from the
 * one before it and a key, so that any process can answer a second use with the token that answered the first.
 */
export class RefreshTokens {
  #families: Collection<TokenFamily>
  #guard: StoreGuard
  #keys: readonly string[]
  #lifeMs: number
  #now: () => number

  constructor (families: Collection<TokenFamily>, guard: StoreGuard, keys: readonly string[], { lifeS = REFRESH_TOKEN_LIFE_S, now = Date.now }: RefreshTokenOptions = {}) {
    this.#families = families
    this.#guard = guard
    this.#keys = keys
    this.#lifeMs = lifeS * 1000
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
      expires_at: new Date(this.#now() + this.#lifeMs)
    }
    await this.#guard.write((signal) => this.#families.insertOne(family, abortable(signal)).catch(unlessOwnDuplicate))
    return `${family._id}.${secret}`
  }

  /** The living family of a token, and what the token is in it; undefined where there is none. */
  async find (token: string): Promise<FoundToken | undefined> {
    const [, _id, secret] = TOKEN.exec(token) ?? []
    if (_id === undefined || secret === undefined) return undefined
    const family = await this.#living(_id)
    return family && { family, secret, state: this.#stateOf(secret, family) }
  }

  /**
   * The token that takes the place of one that was found current or recent; the same for both. Undefined where it is neither
   * any more.
   */
  async next ({ family: { _id, token_hash: newestHash }, secret, state }: FoundToken): Promise<string | undefined> {
    const [nextSecret = ''] = this.#successors(secret) // lib/options/check-options.ts has seen to it that there is a key
    const update = { $set: { token_hash: hashOf(nextSecret), previous_hash: hashOf(secret), replaced_at: new Date(this.#now()) } }
    const replaced = state === 'current' && await this.#guard.write((signal) =>
      this.#families.findOneAndUpdate({ _id, token_hash: newestHash }, update, abortable(signal)))
    return replaced ? `${_id}.${nextSecret}` : this.#again(_id, secret)
  }

  /** What the first use of a token was answered with, if that was a moment ago. */
  async #again (_id: string, secret: string): Promise<string | undefined> {
    const family = await this.#living(_id)
    if (!family || this.#stateOf(secret, family) !== 'recent') return undefined
    // by whichever key the process that answered first had
    const successor = this.#successors(secret).find((successor) => hashOf(successor) === family.token_hash)
    return successor === undefined ? undefined : `${_id}.${successor}`
  }

  async #living (_id: string): Promise<TokenFamily | undefined> {
    const family = await this.#guard.read((signal) => this.#families.findOne({ _id }, { signal }))
    return family && family.expires_at.getTime() > this.#now() ? family : undefined
  }

  #stateOf (secret: string, { token_hash: newest, previous_hash: previous, replaced_at: replacedAt }: TokenFamily): TokenState {
    const hash = hashOf(secret)
    if (hash === newest) return 'current'
    const isRecent = hash === previous && replacedAt !== undefined && this.#now() - replacedAt.getTime() <= GRACE_MS
    return isRecent ? 'recent' : 'used'
  }

  /** What follows a secret, by each key: 256 bits that nobody without the key can tell. */
  #successors (secret: string): string[] {
    return this.#keys.map((key) => createHmac('sha256', key).update(`refresh:${secret}`).digest('base64url'))
  }

  /** Ends a family: none of its tokens is good any more. */
  async revoke ({ _id }: TokenFamily): Promise<void> {
    await this.#guard.write((signal) => this.#families.deleteOne({ _id }, abortable(signal)))
  }

  /** Ends all logins of a user. */
  async revokeAll (username: string): Promise<void> {
    await this.#guard.write((signal) => this.#families.deleteMany({ username }, abortable(signal)))
  }

  /** Ends all logins of a user but this one, which goes on with the new password. */
  async revokeOthers (username: string, _id: string, { password_changed_at: changedAt }: Pick<TokenFamily, 'password_changed_at'>): Promise<void> {
    await Promise.all([
      this.#guard.write((signal) => this.#families.deleteMany({ username, _id: { $ne: _id } }, abortable(signal))),
      this.#guard.write((signal) => this.#families.findOneAndUpdate({ _id, username }, { $set: { password_changed_at: changedAt } }, abortable(signal)))
    ])
  }
}

/** The login that a refresh token goes back to, by its id. */
export function loginOf (refreshToken: string): string | undefined {
  return TOKEN.exec(refreshToken)?.[1]
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
