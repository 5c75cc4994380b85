import { promisify } from 'node:util'
import { batchChannel } from './channels.js'
import { NotSentError, Waiter, type TimeoutError } from './deadline.js'

/** With more the batches get smaller; with one an operation that hangs would hold up all others. */
export const MAX_UNDER_WAY = 2

/** So that no batch holds up the next one for long. */
export const MAX_ITEMS = 256
export const MAX_BYTES = 1_048_576

export interface BatchesOptions<Item, Result> {
  /** What its operations are, in metrics and traces. */
  operation: string
  /**
   * Sends one batch. It answers for each item, in their order, with its result or its own error; what it throws reaches all.
   * The signal is aborted once nobody waits for the batch any more.
   */
  send(items: Item[], signal: AbortSignal): Promise<(Result | Error)[]>
  /** How many batches are under way at most. */
  maxUnderWay: number
  /** How many items one batch holds at most. */
  maxItems: number
  /** How many bytes one batch holds at most, but always one item; unlimited without `bytesOf`. */
  maxBytes?: number
  bytesOf?(item: Item): number
  /** How many items, and how many of their bytes, gather at most; whoever comes beyond that is turned away. */
  maxGathering?: number
  maxGatheringBytes?: number
  /** Whether something of the batch with this signal has left the process; a batch that has not is not closed yet. */
  isSent?(signal: AbortSignal): boolean
}

interface Member<Item, Result> {
  item: Item
  waiter: Waiter<Result>
  bytes: number
  /** None while it gathers, and once it has left. */
  batch?: Batch<Item, Result> | undefined
}

interface Batch<Item, Result> {
  controller: AbortController
  members: Member<Item, Result>[]
  /** How many of them still wait. */
  waiting: number
}

/** So many wait already that another one would wait in vain. */
export class OverloadedError extends Error {
  override name = 'OverloadedError'

  constructor () {
    super('too many requests wait for the database')
  }
}

/**
 * After so many answers the event loop has its turn. Whoever got one soon asks again, and would otherwise wait for all the
 * others: server and database would take turns, with one of them idle.
 */
const SETTLED_AT_ONCE = 16

/** More than any burst that a database can answer within the usual deadlines. */
const MAX_GATHERING = 8_192
const MAX_GATHERING_BYTES = 16_777_216

/** The most that the texts of a document take as UTF-8; its numbers count for little. */
export function textBytes (document: object): number {
  let length = 0
  for (const value of Object.values(document)) if (typeof value === 'string') length += value.length
  return 3 * length
}

const endOfTurn = promisify(setImmediate)

/**
 * Lets requests that wait at the same time share one round trip.
 *
 * Why: most of what an operation costs this process is the driver's work for it, and that is nearly the same for one
 * document as for a hundred. So while as many batches as allowed are under way, whoever comes gathers for the next one,
 * which is sent when one of them ends. There is no timer: with room, all who come in one turn of the event loop leave at
 * its end, so a lone request waits for nobody, and a burst is not split into its first request and the rest. Batches grow
 * with the load by themselves. A batch is closed when it is sent, so no read answers with a state older than its request,
 * and nothing is kept afterwards: this is no cache. Nothing is sent twice.
 *
 * Each caller has its own result, its own error and its own deadline. One that times out before its batch is sent is
 * removed from it, and gets NotSentError; one that times out later does not affect the others. A batch that nobody waits
 * for any more is aborted, and the next one takes its place.
 */
export class Batches<Item, Result> {
  /** What its operations are. */
  readonly operation: string
  #options: BatchesOptions<Item, Result>
  #gathering: Member<Item, Result>[] = []
  #gatheringBytes = 0
  #underWay = 0
  #isScheduled = false

  constructor (options: BatchesOptions<Item, Result>) {
    this.operation = options.operation
    this.#options = options
  }

  /** The item's result; rejects with its own error, with that of its whole batch, with TimeoutError, or with NotSentError. */
  async add (item: Item, limitMs: number): Promise<Result> {
    const { bytesOf = () => 0, maxGathering = MAX_GATHERING, maxGatheringBytes = MAX_GATHERING_BYTES } = this.#options
    const bytes = bytesOf(item)
    const isFull = this.#gathering.length === maxGathering || this.#gatheringBytes + bytes > maxGatheringBytes
    if (isFull) throw new NotSentError(new OverloadedError())
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(resolve, reject, limitMs, (error) => this.#timeOut(member, error))
      const member: Member<Item, Result> = { item, bytes, waiter }
      this.#gathering.push(member)
      this.#gatheringBytes += bytes
      this.#schedule()
    })
  }

  #schedule (): void {
    if (this.#isScheduled || this.#underWay === this.#options.maxUnderWay) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#sendAll()
    })
  }

  #sendAll (): void {
    while (this.#gathering.length > 0 && this.#underWay < this.#options.maxUnderWay) {
      const members = this.#gathering.splice(0, this.#nextBatchLength())
      for (const { bytes } of members) this.#gatheringBytes -= bytes
      this.#send(members)
    }
  }

  /** How many of those that gather make up the next batch. */
  #nextBatchLength (): number {
    const { maxItems, maxBytes = Infinity } = this.#options
    let total = 0
    const past = this.#gathering.findIndex(({ bytes }, index) => {
      total += bytes
      return index === maxItems || (index > 0 && total > maxBytes)
    })
    return past === -1 ? this.#gathering.length : past
  }

  async #send (members: Member<Item, Result>[]): Promise<void> {
    const batch = { controller: new AbortController(), members, waiting: members.length }
    for (const member of members) member.batch = batch
    this.#underWay++
    const begun = performance.now()
    const settle = await this.#outcome(members, batch.controller.signal)
    if (batchChannel.hasSubscribers) batchChannel.publish({ operation: this.operation, items: members.length, durationMs: performance.now() - begun })
    if (batch.controller.signal.aborted) return
    // whoever has an answer is not late any more, however long it takes to give it to all
    for (const { waiter } of members) waiter.stopClock()
    this.#makeRoom()
    for (const [index, { waiter }] of members.entries()) {
      if (index > 0 && index % SETTLED_AT_ONCE === 0) await endOfTurn()
      settle(waiter, index)
    }
  }

  #makeRoom (): void {
    this.#underWay--
    this.#schedule()
  }

  async #outcome (members: Member<Item, Result>[], signal: AbortSignal) {
    try {
      const outcomes = await this.#options.send(members.map(({ item }) => item), signal)
      return (waiter: Waiter<Result>, index: number) => settle(waiter, outcomes[index] as Result | Error) // one for each item
    } catch (cause) {
      const error = this.#isSent(signal) ? cause : new NotSentError(cause)
      return (waiter: Waiter<Result>) => waiter.reject(error)
    }
  }

  #isSent (signal: AbortSignal): boolean {
    return this.#options.isSent?.(signal) ?? true
  }

  #timeOut (member: Member<Item, Result>, error: TimeoutError): void {
    const { batch, waiter, bytes } = member
    if (!batch) {
      this.#gathering.splice(this.#gathering.indexOf(member), 1)
      this.#gatheringBytes -= bytes
      return waiter.reject(new NotSentError(error))
    }
    member.batch = undefined
    batch.waiting--
    const isSent = this.#isSent(batch.controller.signal)
    waiter.reject(isSent ? error : new NotSentError(error))
    if (!isSent) this.#takeBack(batch)
    if (batch.waiting > 0) return
    batch.controller.abort(error)
    this.#makeRoom()
  }

  /** A write must not leave after its caller was told that nothing was changed: the others go in another batch. */
  #takeBack (batch: Batch<Item, Result>): void {
    const others = batch.members.filter((member) => member.batch === batch)
    for (const member of others) {
      member.batch = undefined
      this.#gatheringBytes += member.bytes
    }
    this.#gathering.unshift(...others)
    batch.waiting = 0
  }
}

/** Does nothing to one that has left. */
function settle<Result> (waiter: Waiter<Result>, outcome: Result | Error): void {
  if (outcome instanceof Error) waiter.reject(outcome)
  else waiter.resolve(outcome)
}
