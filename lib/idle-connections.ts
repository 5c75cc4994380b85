import type { MongoClient } from 'mongodb'
import { withDeadline } from './deadline.js'

/** The driver's own limit of connections, which takes the place of none. */
const DEFAULT_POOL_SIZE = 100

/**
 * Finds the dead among idle connections. A network may drop connections without a word, as a firewall does with idle ones:
 * each of them would cost the requests that meet it their deadline. So once an operation had no answer, each idle
 * connection is asked at once, and one that does not answer in time is closed by the driver; meanwhile nobody gets it.
 */
export class IdleConnections {
  #client: MongoClient
  #limitMs: number
  #now: () => number
  #nextCheck = -Infinity

  constructor (client: MongoClient, limitMs: number, now: () => number) {
    this.#client = client
    this.#limitMs = limitMs
    this.#now = now
  }

  /** Begins a check, unless one began within the limit. Never fails. */
  async check (): Promise<void> {
    const now = this.#now()
    if (now < this.#nextCheck) return
    this.#nextCheck = now + this.#limitMs
    const { maxPoolSize } = this.#client.options
    // how many are idle the driver does not tell; a ping that finds none of them waits for one that has answered
    const length = Math.min(maxPoolSize || DEFAULT_POOL_SIZE, DEFAULT_POOL_SIZE)
    await Promise.allSettled(Array.from({ length }, async () => this.#ping()))
  }

  async #ping (): Promise<void> {
    const { readPreference } = this.#client
    await withDeadline(this.#limitMs, async (signal) => this.#client.db().command({ ping: 1 }, { signal, readPreference }))
  }
}
