import { logStoreChange, type StoreChange } from '../lib/mongodb/store-change.js'

/** Outages of the database as several processes see them, each with connections of its own: one line when the first has lost it, and one when none is without. */
export class Outages<Process> {
  #log: Parameters<typeof logStoreChange>[0]
  #without = new Set<Process>()
  #isTold = false

  constructor (log: Parameters<typeof logStoreChange>[0]) {
    this.#log = log
  }

  changed (process: Process, change: StoreChange): void {
    if (change === 'back') return this.has(process)
    this.#without.add(process)
    if (!this.#isTold) logStoreChange(this.#log, 'lost')
    this.#isTold = true
  }

  /** A process has the database, again or since its start. */
  has (process: Process): void {
    this.#without.delete(process)
    if (!this.#isTold || this.#without.size > 0) return
    this.#isTold = false
    logStoreChange(this.#log, 'back')
  }

  /** One that has ended says nothing of the database. */
  ended (process: Process): void {
    this.#without.delete(process)
  }
}
