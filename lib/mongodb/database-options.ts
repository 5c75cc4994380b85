import type { MongoClient } from 'mongodb'
import type { StoreChange } from './store-change.js'

/** A database's name: printable ASCII without the characters that MongoDB refuses on any platform. */
export const DATABASE_NAME = '^[!#%&\'()+,\\-0-9;=@A-Z\\[\\]^_`a-z{}~]{1,63}$'

/** The database, and how long one of its operations may take, in milliseconds, where nothing else is said. */
export const DEFAULTS = { database: 'college', timeoutMs: 1_500 } as const

/** Where the students live. Give one of the first three, or none inside a host that has `@fastify/mongodb`. */
export interface DatabaseOptions {
  /** A MongoDB URL, handed to the driver unchanged; the connection is closed with the app. */
  url?: string | undefined
  /** A client of yours; it stays open when the app closes. */
  client?: MongoClient | undefined
  /** The folder of an embedded store, which is started here and closed with the app. */
  embedded?: string | undefined
  /**
   * Called once if the thread of that store fails. From then on requests are 503 until the app is made anew; without this, the failure is only
   * logged, as fatal.
   */
  onStoreFailure?: ((error: Error) => void) | undefined
  /** Called when the database is known to be away, and when it is back; without this, each is a line in the log. */
  onStoreChange?: ((change: StoreChange) => void) | undefined
  /** The database, default `college`; a database in the URL's path is not used. */
  database?: string | undefined
  /** How long one operation may take, in milliseconds, default 1500; then the answer is 503. */
  timeoutMs?: number | undefined
}

/** The same, with its defaults. */
export type ResolvedDatabase = DatabaseOptions & { database: string, timeoutMs: number }
