import type { MongoClient, TopologyDescriptionChangedEvent } from 'mongodb'
import type { Batches } from './batch.js'
import { DuplicateKeyError, StoreFullError, StoreUnavailableError } from './errors.js'

/** A server that has been unknown for less may only have lost one connection; the driver then tries again by itself. */
const KNOWN_DOWN_AFTER_MS = 1_000

/** MongoDB's code for a document that a unique index refuses. */
export const DUPLICATE_KEY = 11000

const OUT_OF_DISK_SPACE = 14031

/** MongoDB's codes for a server that can't serve now: no primary, shutting down, stepping down, over its time limit. */
const UNAVAILABLE_CODES = new Set<unknown>([6, 7, 50, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** The driver's errors, by name: a host's client may come from another copy of the driver. */
const UNAVAILABLE_NAMES = new Set([
  'MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoServerSelectionError', 'MongoTopologyClosedError',
  'MongoNotConnectedError', 'MongoClientClosedError', 'MongoPoolClosedError', 'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError', 'MongoOperationTimeoutError', 'TimeoutError'
])

type Operation<T> = (signal: AbortSignal) => Promise<T>

/**
 * Runs operations of the driver with a deadline, and turns its errors into ours:
 * StoreUnavailableError when the server is gone, frozen or can't serve; StoreFullError when its disk is full;
 * DuplicateKeyError, which names the fields but not their values, when a unique index refuses a write.
 * The driver's own time limits do not end an operation on a frozen server; an aborted signal does.
 */
export class StoreGuard {
  #client: MongoClient
  #timeoutMs: number
  #now: () => number
  #downSince: number | undefined

  constructor (client: MongoClient, timeoutMs: number, now: () => number = () => performance.now()) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#now = now
    client.on('topologyDescriptionChanged', this.#observe)
  }

  async read<T> (operation: Operation<T>): Promise<T> {
    this.#refuseIfDown('Try again later.')
    return this.#run(() => this.#limited(operation), 'Try again later.')
  }

  async write<T> (operation: Operation<T>): Promise<T> {
    this.#refuseIfDown('Nothing was changed.')
    return this.#run(() => this.#limited(operation), 'The change may have been applied.')
  }

  /** A read that shares its round trip with others; the limit is this caller's, and the others' batch goes on. */
  async readIn<Item, T> (batches: Batches<Item, T>, item: Item): Promise<T> {
    this.#refuseIfDown('Try again later.')
    return this.#run(() => batches.add(item, this.#timeoutMs), 'Try again later.')
  }

  async writeIn<Item, T> (batches: Batches<Item, T>, item: Item): Promise<T> {
    this.#refuseIfDown('Nothing was changed.')
    return this.#run(() => batches.add(item, this.#timeoutMs), 'The change may have been applied.')
  }

  /** Stops watching the client, which may live on. */
  close (): void {
    this.#client.off('topologyDescriptionChanged', this.#observe)
  }

  #observe = ({ newDescription }: TopologyDescriptionChangedEvent) => {
    if (newDescription.hasKnownServers) this.#downSince = undefined
    else this.#downSince ??= this.#now()
  }

  #refuseIfDown (effect: string): void {
    if (this.#downSince === undefined) return
    if (this.#now() - this.#downSince > KNOWN_DOWN_AFTER_MS) throw new StoreUnavailableError(effect)
  }

  async #limited<T> (operation: Operation<T>): Promise<T> {
    // AbortSignal.timeout() costs more, and its timer and signal would outlive the operation
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), this.#timeoutMs)
    return operation(controller.signal).finally(() => clearTimeout(timer))
  }

  async #run<T> (operation: () => Promise<T>, effect: string): Promise<T> {
    try {
      return await operation()
    } catch (cause) {
      if (isUnavailable(cause)) throw new StoreUnavailableError(effect, { cause })
      if (codeOf(cause) === OUT_OF_DISK_SPACE) throw new StoreFullError({ cause })
      // without its cause: the driver's error holds what the user sent
      if (codeOf(cause) === DUPLICATE_KEY) throw new DuplicateKeyError(indexedFields(cause))
      throw cause
    }
  }
}

function isUnavailable (error: unknown): boolean {
  return error instanceof Error && (UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CODES.has(codeOf(error)))
}

function codeOf (error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** The fields of the index that refused a write; MongoDB tells them as the keys of `keyPattern`. */
function indexedFields (error: unknown): string {
  const { keyPattern } = error as { keyPattern?: object } // set by MongoDB since 4.2
  return Object.keys(keyPattern ?? { key: 1 }).join(' and ')
}
