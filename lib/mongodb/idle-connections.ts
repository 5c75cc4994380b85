import type { ConnectionPoolMonitoringEvent, MongoClient } from 'mongodb'
import { withDeadline } from './deadline.js'
import { listen } from './listen.js'

type ConnectionEvent = Pick<ConnectionPoolMonitoringEvent, 'address'> & { connectionId: unknown }

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
  /** By address and number: the driver does not tell how many there are. */
  #idle = new Set<string>()
  /** Stops watching the client, which may live on. */
  close: () => void

  constructor (client: MongoClient, limitMs: number, now: () => number) {
    this.#client = client
    this.#limitMs = limitMs
    this.#now = now
    this.close = listen(client, {
      connectionReady: this.#add, connectionCheckedIn: this.#add, connectionCheckedOut: this.#remove, connectionClosed: this.#remove
    })
  }

  /** Begins a check, unless one began within the limit. Never fails. */
  async check (): Promise<void> {
    const now = this.#now()
    if (now < this.#nextCheck) return
    this.#nextCheck = now + this.#limitMs
    await Promise.allSettled(Array.from(this.#idle, async () => this.#ping()))
  }

  /**
   * Ends each idle connection. The driver takes whatever comes next on one for the answer, so on one that garbage came from, an answer too many
   * would go to the next operation, and so on. It can be told to end a connection only by an operation that is aborted on it. Never fails.
   */
  async discard (): Promise<void> {
    await Promise.allSettled(Array.from(this.#idle, async () => this.#end()))
  }

  #add = ({ address, connectionId }: ConnectionEvent) => { this.#idle.add(`${address} ${connectionId}`) }

  #remove = ({ address, connectionId }: ConnectionEvent) => { this.#idle.delete(`${address} ${connectionId}`) }

  async #ping (): Promise<void> {
    const { readPreference } = this.#client
    await withDeadline(this.#limitMs, async (signal) => this.#client.db().command({ ping: 1 }, { signal, readPreference }))
  }

  #end (): Promise<unknown> {
    const controller = new AbortController()
    // the driver turns a command into bytes once it has a connection for it
    const comment = { toBSON: () => controller.abort() }
    return this.#client.db().command({ ping: 1, comment }, { signal: controller.signal, ignoreUndefined: true })
  }
}
