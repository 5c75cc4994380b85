import { randomUUID } from 'node:crypto'
import type { Collection, ObjectId } from 'mongodb'
import { DuplicateKeyError, KeyInUseError, KeyReusedError } from '../http/errors.js'
import { Batches, MAX_ITEMS, MAX_UNDER_WAY } from '../mongodb/batch.js'
import { bulkWrite } from '../mongodb/bulk-write.js'
import { abortable, isSent } from '../mongodb/driver-options.js'
import { removeExpired } from '../mongodb/expiry.js'
import { Inserts } from '../mongodb/inserts.js'
import type { StoreGuard } from '../mongodb/store-guard.js'
import { IdRun } from './id-run.js'

/** What a request was answered. */
export interface Answer {
  status: number
  /** A value of JSON. */
  body: unknown
}

/** How far a long request has come; what it holds is its own. */
export type Progress = Record<string, unknown>

/** A key as it is stored. */
export interface KeyDocument {
  /** A hash of caller, method, path and key. */
  _id: string
  /** A hash of what was sent. */
  fingerprint: string
  /** The first of the ids that are reserved for the request's records. */
  run: ObjectId
  /** Whoever works on the request, and until when nobody else does. */
  holder: string
  held_until: Date
  /** Whether the answer counts; one that is known beforehand is there before that. */
  is_done: boolean
  /** The status, and the body as JSON. */
  status?: number
  body?: string
  progress?: Progress
  /** After that the key is as if it had never come. */
  expires_at: Date
}

export interface KeyOptions {
  /** How long a key is kept, in milliseconds. */
  ttlMs: number
  /** How long one who works on a request keeps others from it without a word, in milliseconds: longer than any of its operations takes. */
  leaseMs: number
  now?: () => number
}

/** What a key has come to: an answer to give again, or the right to work on the request. */
export type Reservation = { answer: Answer, fingerprint: string } | { held: HeldKey }

const ANSWERED = { is_done: true }

/**
 * Requests that are sent again have one effect, without transactions (draft-ietf-httpapi-idempotency-key-header-07). A key reserves the ids of the
 * records that its request makes before they are made. If the work ends without a word, whoever has the key next makes them with the same ids, and a
 * record that is there already is that record.
 */
export class IdempotencyKeys {
  #collection: Collection<KeyDocument>
  #guard: StoreGuard
  #options: Required<KeyOptions>
  #inserts: Inserts<KeyDocument>
  #finishing: Batches<string, undefined>
  #expiry: Promise<(() => void) | undefined> | undefined

  /** @param collection read from the primary */
  constructor (collection: Collection<KeyDocument>, guard: StoreGuard, { now = Date.now, ...options }: KeyOptions) {
    this.#collection = collection
    this.#guard = guard
    this.#options = { now, ...options }
    this.#inserts = new Inserts(collection, { isOwnId: false })
    this.#finishing = new Batches({
      operation: 'finish_keys',
      send: async (ids, signal) => {
        // whatever becomes of one, the next try of its request has the same effect
        const met = await bulkWrite(collection, ids.map((_id) => ({ filter: { _id }, set: ANSWERED })), signal)
        if (!met) await collection.updateMany({ _id: { $in: ids } }, { $set: ANSWERED }, abortable(signal))
        return ids.map(() => undefined)
      },
      maxUnderWay: MAX_UNDER_WAY,
      maxItems: MAX_ITEMS,
      isSent
    })
  }

  /**
   * Reserves a key for a request, or says what it was answered. Throws KeyInUseError while another one works on it, and KeyReusedError where
   * the key was sent with something else.
   * @param prepare the answer, where the ids are all that it waits for
   */
  async reserve (id: string, fingerprint: string, prepare?: (run: IdRun) => Answer): Promise<Reservation> {
    await this.#prepared()
    for (;;) {
      const fresh = this.#fresh(id, fingerprint, prepare)
      if (await this.#insert(fresh)) return { held: this.#held(fresh, false) }
      const known = await this.#guard.read(async (signal) => this.#collection.findOne({ _id: id }, { signal }))
      // the driver's second try, which met the first
      if (known?.holder === fresh.holder) return { held: this.#held(fresh, false) }
      if (known && known.expires_at.getTime() > this.#options.now()) return this.#again(known, fingerprint)
      if (known) await this.#remove({ _id: id, expires_at: known.expires_at })
    }
  }

  /** Ends what looks for expired keys. */
  async close (): Promise<void> {
    const stop = await this.#expiry
    stop?.()
  }

  /** Only once a key comes is there a collection for them. */
  async #prepared (): Promise<void> {
    this.#expiry ??= removeExpired(this.#collection, this.#guard)
    await this.#expiry.catch((error) => {
      this.#expiry = undefined
      throw error
    })
  }

  #fresh (_id: string, fingerprint: string, prepare?: (run: IdRun) => Answer): KeyDocument {
    const run = IdRun.begin()
    const { ttlMs, now } = this.#options
    return { _id, fingerprint, run: run.first, ...this.#lease(), is_done: false, ...prepare && stored(prepare(run)), expires_at: new Date(now() + ttlMs) }
  }

  #lease (): Pick<KeyDocument, 'holder' | 'held_until'> {
    return { holder: randomUUID(), held_until: new Date(this.#options.now() + this.#options.leaseMs) }
  }

  /** Whether it was not there. */
  async #insert (document: KeyDocument): Promise<boolean> {
    try {
      await this.#guard.writeIn(this.#inserts.batches, document)
      return true
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error
      return false
    }
  }

  async #again (known: KeyDocument, fingerprint: string): Promise<Reservation> {
    if (known.fingerprint !== fingerprint) throw new KeyReusedError()
    if (known.is_done) return { answer: { status: Number(known.status), body: JSON.parse(String(known.body)) }, fingerprint: known.fingerprint }
    const { _id, holder, held_until: heldUntil } = known
    if (heldUntil.getTime() > this.#options.now()) throw new KeyInUseError()
    const lease = this.#lease()
    const taken = await this.#change({ _id, holder, held_until: heldUntil }, lease)
    if (!taken) throw new KeyInUseError()
    return { held: this.#held({ ...known, ...lease }, true) }
  }

  #held (document: KeyDocument, isTakenOver: boolean): HeldKey {
    const { _id, holder, run, status, progress } = document
    const mine = { _id, holder }
    const isPrepared = status !== undefined
    return {
      run: new IdRun(run),
      isTakenOver,
      progress,
      finish: async (answer) => {
        if (isPrepared && answer.status === status) await this.#guard.writeIn(this.#finishing, _id)
        else await this.#change(mine, { ...ANSWERED, ...stored(answer) })
      },
      save: async (progress) => {
        const isMine = await this.#change(mine, { progress, held_until: this.#lease().held_until })
        if (!isMine) throw new KeyInUseError()
      },
      release: async () => { await this.#change(mine, { held_until: new Date(0) }) },
      forget: async () => { await this.#remove(mine) }
    }
  }

  async #change (filter: Partial<KeyDocument>, changes: Partial<KeyDocument>): Promise<boolean> {
    const found = await this.#guard.write(async (signal) => this.#collection.findOneAndUpdate(filter, { $set: changes }, abortable(signal)))
    return found !== null
  }

  async #remove (filter: Partial<KeyDocument>): Promise<void> {
    await this.#guard.write(async (signal) => this.#collection.deleteOne(filter, abortable(signal)))
  }
}

/** The right to work on the request of a key. */
export interface HeldKey {
  /** The ids of the records that the request makes. */
  run: IdRun
  /** Whether another one may have done some of the work already. */
  isTakenOver: boolean
  /** How far the work had come. */
  progress: Progress | undefined
  /** From here on the key has this answer. */
  finish (answer: Answer): Promise<void>
  /** Notes how far the work has come, and keeps others from it for longer. Throws KeyInUseError where another one has the key by now. */
  save (progress: Progress): Promise<void>
  /** Leaves the request to whoever sends it next: what became of it is not known, or it is not done. */
  release (): Promise<void>
  /** The key is as if it had never come. */
  forget (): Promise<void>
}

function stored ({ status, body }: Answer): { status: number, body: string } {
  return { status, body: JSON.stringify(body) }
}
