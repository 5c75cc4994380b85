import { deserialize } from 'bson'
import type { MongoClient, TopologyDescriptionChangedEvent } from 'mongodb'
import { Batches } from './batch.js'
import { operationChannel } from './channels.js'
import { endDeadMonitor } from './dead-monitor.js'
import { NotSentError, TimeoutError } from './deadline.js'
import { isSent } from './driver-options.js'
import { DocumentRefusedError, DuplicateKeyError, StoreFullError, StoreUnavailableError } from '../http/errors.js'
import { IdleConnections } from './idle-connections.js'
import { listen } from './listen.js'
import { codeOf, isGarbled, isOutage } from './outage.js'
import type { StoreChange } from './store-change.js'

/** A server that has been unknown for less may only have lost one connection; the driver then tries again by itself. */
const KNOWN_DOWN_AFTER_MS = 1_000

/** So many operations of a kind go alone at most, and a third of the connections: those that hang leave some to the others. */
const MAX_ALONE = 32
const SHARE_OF_POOL = 3

const OUT_OF_DISK_SPACE = 14031
const DOCUMENT_VALIDATION_FAILURE = 121

/** MongoDB's code for a document that a unique index refuses. */
export const DUPLICATE_KEY = 11000

const TRY_AGAIN = 'Try again later.'
const NOTHING_CHANGED = 'Nothing was changed.'
const MAYBE_CHANGED = 'The change may have been applied.'

type Operation<T> = (signal: AbortSignal) => Promise<T>

export interface StoreGuardOptions {
  /** Told once when the server is known to be away, and once when it is back. */
  onChange?: (change: StoreChange) => void
  now?: () => number
}

/**
 * Runs operations of the driver with a deadline, and turns its errors into ours:
 * StoreUnavailableError when the server is gone, frozen or can't serve; StoreFullError when its disk is full;
 * DuplicateKeyError, which names the fields but not their values, when a unique index refuses a write, and
 * DocumentRefusedError when the collection's validator does.
 * The driver's own time limits do not end an operation on a frozen server; its signal does, and closes its connection.
 */
export class StoreGuard {
  #timeoutMs: number
  #now: () => number
  #idle: IdleConnections
  #downSince: number | undefined
  #onChange: (change: StoreChange) => void
  #lost: NodeJS.Timeout | undefined
  #isTold = false
  #stopListening: () => void
  #reads: Batches<Operation<unknown>, unknown>
  #writes: Batches<Operation<unknown>, unknown>

  constructor (client: MongoClient, timeoutMs: number, { onChange = () => {}, now = () => performance.now() }: StoreGuardOptions = {}) {
    this.#onChange = onChange
    this.#timeoutMs = timeoutMs
    this.#now = now
    this.#idle = new IdleConnections(client, timeoutMs, now)
    this.#reads = oneByOne(client, 'read')
    this.#writes = oneByOne(client, 'write')
    this.#stopListening = listen(client, {
      topologyDescriptionChanged: this.#observe,
      serverHeartbeatStarted: ({ connectionId }) => endDeadMonitor(client, connectionId)
    })
  }

  /** A read that goes alone. */
  async read<T> (operation: Operation<T>): Promise<T> {
    return this.readIn(this.#reads, operation) as Promise<T>
  }

  /** A write that goes alone. Its options have to come from `abortable`, which tells whether it was sent. */
  async write<T> (operation: Operation<T>): Promise<T> {
    return this.writeIn(this.#writes, operation) as Promise<T>
  }

  /** A read that shares its round trip with others; the limit is this caller's, and the others' batch goes on. */
  async readIn<Item, T> (batches: Batches<Item, T>, item: Item): Promise<T> {
    return this.#run(batches, item, TRY_AGAIN, TRY_AGAIN)
  }

  async writeIn<Item, T> (batches: Batches<Item, T>, item: Item): Promise<T> {
    return this.#run(batches, item, MAYBE_CHANGED, NOTHING_CHANGED)
  }

  /** The error of one write among many, as it is told: a refusal, or one that says that the change may have been applied. */
  ownError (error: Error): Error {
    return toOwnError(error, MAYBE_CHANGED, MAYBE_CHANGED)
  }

  /** Stops watching the client, which may live on. */
  close (): void {
    clearTimeout(this.#lost)
    this.#stopListening()
    this.#idle.close()
  }

  #observe = ({ newDescription }: TopologyDescriptionChangedEvent) => {
    if (newDescription.hasKnownServers) this.#setUp()
    else if (this.#downSince === undefined) this.#setDown()
  }

  #setUp (): void {
    this.#downSince = undefined
    clearTimeout(this.#lost)
    if (this.#isTold) this.#onChange('back')
    this.#isTold = false
  }

  #setDown (): void {
    this.#downSince = this.#now()
    this.#lost = setTimeout(() => {
      this.#isTold = true
      this.#onChange('lost')
    }, KNOWN_DOWN_AFTER_MS).unref()
  }

  /** The effects are what a 503 says of the operation: the second one where nothing of it was sent. */
  async #run<Item, T> (batches: Batches<Item, T>, item: Item, effect: string, effectUnsent: string): Promise<T> {
    this.#refuseIfDown(effectUnsent)
    try {
      return await (operationChannel.hasSubscribers ? this.#traced(batches, item) : batches.add(item, this.#timeoutMs))
    } catch (error) {
      if (error instanceof TimeoutError) this.#idle.check()
      if (isGarbled(error)) this.#idle.discard()
      throw toOwnError(error, effect, effectUnsent)
    }
  }

  async #traced<Item, T> (batches: Batches<Item, T>, item: Item): Promise<T> {
    return operationChannel.tracePromise(async () => batches.add(item, this.#timeoutMs), { operation: batches.operation })
  }

  /** Whether the server is known to be away. */
  get isDown (): boolean {
    return this.#downSince !== undefined && this.#now() - this.#downSince > KNOWN_DOWN_AFTER_MS
  }

  #refuseIfDown (effect: string): void {
    if (this.isDown) throw new StoreUnavailableError(effect)
  }
}

function oneByOne ({ options: { maxPoolSize } }: MongoClient, operation: string): Batches<Operation<unknown>, unknown> {
  const share = Math.max(1, Math.floor(maxPoolSize / SHARE_OF_POOL))
  return new Batches({
    operation,
    send: async (operations, signal) => Promise.all(operations.map((operation) => operation(signal))),
    // the driver takes 0 for no limit
    maxUnderWay: maxPoolSize > 0 ? Math.min(MAX_ALONE, share) : MAX_ALONE,
    maxItems: 1,
    isSent
  })
}

function toOwnError<E> (error: E, effect: string, effectUnsent: string): E | Error {
  const cause = error instanceof NotSentError ? error.cause : error
  if (isOutage(cause)) return new StoreUnavailableError(cause === error ? effect : effectUnsent, { cause })
  const code = codeOf(cause)
  if (code === OUT_OF_DISK_SPACE) return new StoreFullError({ cause })
  // these two without their cause: the driver's error holds what the user sent
  if (code === DUPLICATE_KEY) return new DuplicateKeyError(indexedFields(cause).join(' and '))
  if (code === DOCUMENT_VALIDATION_FAILURE) return new DocumentRefusedError()
  return cause as E // itself, or an error
}

/**
 * Whether a write was refused because its `_id` is there already. Where the request made that `_id` itself, the driver has met
 * its own write: the first answer was lost, and it tried again.
 */
export function isDuplicateId (error: unknown): boolean {
  return codeOf(error) === DUPLICATE_KEY && indexedFields(error).join() === '_id'
}

/** The fields of the index that refused a write; MongoDB tells them as the keys of `keyPattern`, of which an operation with raw answers has the bytes. */
function indexedFields (error: unknown): string[] {
  const { keyPattern } = error as { keyPattern?: object } // set by MongoDB since 4.2
  return Object.keys(keyPattern instanceof Uint8Array ? deserialize(keyPattern) : keyPattern ?? { key: 1 })
}
