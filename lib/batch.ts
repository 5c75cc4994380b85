import { promisify } from 'node:util'

export interface BatchesOptions<Item, Result> {
  /** Sends one batch. It answers for each item, in their order, with its result or its own error; what it throws reaches all. */
  send(items: Item[]): Promise<(Result | Error)[]>
  /** How many batches are under way at most. */
  maxUnderWay: number
  /** How many items one batch holds at most. */
  maxItems: number
  /** How many bytes one batch holds at most, but always one item; unlimited without `bytesOf`. */
  maxBytes?: number
  bytesOf?(item: Item): number
}

interface Caller<Item, Result> {
  item: Item
  timer: NodeJS.Timeout
  batch?: Batch
  resolve(result: Result): void
  reject(error: unknown): void
}

interface Batch {
  /** How many of its callers still wait. */
  waiting: number
}

/**
 * After so many answers the event loop has its turn. Who got one soon asks again, and would else wait for all the others:
 * server and database would take turns, with one of them idle.
 */
const SETTLED_AT_ONCE = 16

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
 * Each caller has its own result, its own error and its own time limit. Who leaves before its batch is sent is not part
 * of it; who leaves later leaves the others undisturbed. When the last one has left, the next batch takes its place.
 */
export class Batches<Item, Result> {
  #options: BatchesOptions<Item, Result>
  #gathering: Caller<Item, Result>[] = []
  #underWay = 0
  #isScheduled = false

  constructor (options: BatchesOptions<Item, Result>) {
    this.#options = options
  }

  /** The item's result; rejects with its own error, with that of its whole batch, or with TimeoutError past the limit. */
  add (item: Item, limitMs: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      const caller: Caller<Item, Result> = { item, resolve, reject, timer: setTimeout(() => this.#leave(caller, limitMs), limitMs) }
      this.#gathering.push(caller)
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
      this.#send(this.#gathering.splice(0, this.#fitting()))
    }
  }

  /** How many of those who gather make up the next batch. */
  #fitting (): number {
    const { maxItems, maxBytes = Infinity, bytesOf = () => 0 } = this.#options
    let bytes = 0
    const past = this.#gathering.findIndex(({ item }, index) => {
      bytes += bytesOf(item)
      return index === maxItems || (index > 0 && bytes > maxBytes)
    })
    return past === -1 ? this.#gathering.length : past
  }

  async #send (callers: Caller<Item, Result>[]): Promise<void> {
    const batch = { waiting: callers.length }
    for (const caller of callers) caller.batch = batch
    this.#underWay++
    const settle = await this.#outcome(callers)
    // who has an answer is not late any more, however long it takes to give it to all
    for (const { timer } of callers) clearTimeout(timer)
    if (batch.waiting > 0) this.#makeRoom()
    for (const [index, caller] of callers.entries()) {
      if (index > 0 && index % SETTLED_AT_ONCE === 0) await endOfTurn()
      settle(caller, index)
    }
  }

  #makeRoom (): void {
    this.#underWay--
    this.#schedule()
  }

  async #outcome (callers: Caller<Item, Result>[]) {
    try {
      const outcomes = await this.#options.send(callers.map(({ item }) => item))
      return (caller: Caller<Item, Result>, index: number) => settle(caller, outcomes[index] as Result | Error) // one for each item
    } catch (error) {
      return (caller: Caller<Item, Result>) => settle(caller, error as Error) // the driver throws nothing else
    }
  }

  #leave (caller: Caller<Item, Result>, limitMs: number): void {
    const { batch } = caller
    caller.reject(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'))
    if (!batch) this.#gathering.splice(this.#gathering.indexOf(caller), 1)
    else if (--batch.waiting === 0) this.#makeRoom()
  }
}

/** Does nothing to a caller who has left. */
function settle<Item, Result> (caller: Caller<Item, Result>, outcome: Result | Error): void {
  if (outcome instanceof Error) caller.reject(outcome)
  else caller.resolve(outcome)
}
