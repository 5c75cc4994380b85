import type { StoredUser } from '../../schemas/user.js'
import { asUnavailable, isNamed } from './couchbase-errors.js'
import { withDeadline } from '../mongodb/deadline.js'
import { SetupError, StoreUnavailableError } from '../http/errors.js'
import { documentId, meets, type UserChanges, type UserCondition, type UserStore } from './user-store.js'

/** The part of the SDK's bucket that is used. */
export interface CouchbaseBucket {
  defaultCollection(): CouchbaseCollection
  defaultScope(): CouchbaseScope
}

/** A `cas` is the version of a document, and nobody's but the SDK's to read. */
export interface CouchbaseCollection {
  get(key: string): Promise<{ content: unknown, cas: unknown }>
  insert(key: string, content: object): Promise<unknown>
  replace(key: string, content: object, options: { cas: unknown }): Promise<unknown>
  remove(key: string, options: { cas: unknown }): Promise<unknown>
}

export interface CouchbaseScope {
  query(statement: string, options: { scanConsistency: 'request_plus', readOnly: true }): Promise<{ rows: unknown[] }>
}

/** The SDK's own time-out tells whether a write was sent at all, so it comes first. */
export const GRACE_MS = 250

/** Each round of rivals for one document has a winner: so many of them at once are all served. */
const UPDATE_ATTEMPTS = 10

const MISSING = new Set(['DocumentNotFoundError'])
const EXISTS = new Set(['DocumentExistsError'])
const CHANGED = new Set(['CasMismatchError'])
const NO_INDEX = new Set(['PlanningFailureError', 'IndexNotFoundError', 'IndexFailureError'])

/** By the document's id: a profile may be without `type`. */
const ALL_PROFILES = `SELECT RAW profile FROM _default AS profile WHERE META(profile).id LIKE "${documentId('%')}"`

/**
 * User profiles in the default collection of a Couchbase bucket, of which only `list` needs the query service.
 * An operation without an answer ends `GRACE_MS` after the SDK's time-out.
 */
export class CouchbaseUsers implements UserStore {
  #collection: CouchbaseCollection
  #scope: CouchbaseScope
  #limitMs: number

  /** Takes the time-out that the SDK has, in milliseconds. */
  constructor (bucket: CouchbaseBucket, timeoutMs: number) {
    this.#collection = bucket.defaultCollection()
    this.#scope = bucket.defaultScope()
    this.#limitMs = timeoutMs + GRACE_MS
  }

  async get (username: string): Promise<StoredUser | undefined> {
    const found = await this.#run('read', () => this.#find(username))
    return found?.user
  }

  /** Throws SetupError where the bucket has no index that the query can use, as servers before 7.6 need. */
  async list (): Promise<StoredUser[]> {
    try {
      // request_plus: with all that was written before
      const options = { scanConsistency: 'request_plus', readOnly: true } as const
      const { rows } = await this.#run('read', () => this.#scope.query(ALL_PROFILES, options))
      return rows.filter(isProfile)
    } catch (error) {
      if (isNamed(error, NO_INDEX)) throw new SetupError('to list users, the Couchbase bucket needs a primary index')
      throw error
    }
  }

  async create (user: StoredUser): Promise<boolean> {
    return this.#run('write', () =>
      unless(EXISTS, async () => this.#collection.insert(documentId(user.username), user)))
  }

  async update (username: string, changes: UserChanges, condition?: UserCondition): Promise<boolean> {
    return this.#change(username, condition, async (user, cas) =>
      this.#collection.replace(documentId(username), { ...user, ...given(changes) }, { cas }))
  }

  async delete (username: string, condition?: UserCondition): Promise<boolean> {
    return this.#change(username, condition, async (_user, cas) => this.#collection.remove(documentId(username), { cas }))
  }

  async #change (username: string, condition: UserCondition = {}, change: (user: StoredUser, cas: unknown) => Promise<unknown>): Promise<boolean> {
    return this.#run('write', async (signal) => {
      for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt++) {
        const found = await this.#find(username)
        // whoever asked has had a 503, and may have written something newer since
        signal.throwIfAborted()
        if (!found || !meets(found.user, condition)) return false
        const outcome = await outcomeOf(async () => change(found.user, found.cas))
        if (outcome !== 'rivalled') return outcome === 'changed'
      }
      throw new StoreUnavailableError('Nothing was changed.')
    })
  }

  async #find (username: string): Promise<{ user: StoredUser, cas: unknown } | undefined> {
    try {
      const { content, cas } = await this.#collection.get(documentId(username))
      return isProfile(content) ? { user: content, cas } : undefined
    } catch (error) {
      if (isNamed(error, MISSING)) return undefined
      throw error
    }
  }

  async #run<T> (kind: 'read' | 'write', operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.#limitMs, operation)
    } catch (error) {
      throw asUnavailable(error, kind)
    }
  }
}

/** What became of a change of the version that was read: another one may have come before it. */
async function outcomeOf (change: () => Promise<unknown>): Promise<'changed' | 'missing' | 'rivalled'> {
  let exists = false
  const isCurrent = await unless(CHANGED, async () => { exists = await unless(MISSING, change) })
  if (!isCurrent) return 'rivalled'
  return exists ? 'changed' : 'missing'
}

/** True when the operation worked, false when it failed by an error of that name. */
async function unless (names: ReadonlySet<string>, operation: () => Promise<unknown>): Promise<boolean> {
  try {
    await operation()
    return true
  } catch (error) {
    if (isNamed(error, names)) return false
    throw error
  }
}

/** The changes without undefined fields, which would otherwise remove what is stored: JSON has no undefined. */
function given (changes: UserChanges): UserChanges {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

/** Whether it is an object at all, and neither other JSON nor bytes; as in MongoDB, its fields may be of any type still. */
function isProfile (content: unknown): content is StoredUser {
  return typeof content === 'object' && content !== null && !Array.isArray(content) && !Buffer.isBuffer(content)
}
