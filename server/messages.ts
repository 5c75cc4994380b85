import type { StoreChange } from '../lib/mongodb/store-change.js'
import type { Family } from '../lib/server/registry.js'

/** What the primary tells its workers. */
export type ToWorker =
  /** A signal that ends the server; a worker ends as a server of its own would. */
  | { type: 'signal', signal: NodeJS.Signals }
  /** To be answered with the metrics of this worker. */
  | { type: 'read metrics', id: number }
  /** The metrics of all workers, as asked for. */
  | { type: 'metrics of all', id: number, families: Family[] }
  /** The turn to check a password that was asked for, or that too many wait for one. */
  | { type: 'turn', id: number, hasCome: boolean }

/** What a worker tells the primary. */
export type ToPrimary =
  /** It serves; the lines are what a server of its own would say now. */
  | { type: 'listening', line: string, warnings: string[] }
  /** The metrics of this worker, as asked for, or without an id the last ones. */
  | { type: 'metrics', id?: number, families: Family[] }
  | { type: 'ask metrics', id: number }
  | { type: 'ask turn', id: number }
  | { type: 'end turn', id: number }
  /** It has lost the database, or has it again. */
  | { type: 'store', change: StoreChange }
