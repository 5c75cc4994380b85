import type { Config } from '../config.js'
import type { DatabaseOptions } from './database-options.js'

/**
 * The database of the configuration, for commands beside the server: a live embedded store is shared with the process
 * that holds it, and one is started only where none lives.
 */
export async function storeOf ({ MONGODB_URL, MONGODB_DATABASE, DATA_DIR }: Config): Promise<DatabaseOptions> {
  const database = MONGODB_DATABASE
  if (MONGODB_URL) return { url: MONGODB_URL, database }
  const { find } = await import('../embedded/index.js')
  const live = await find(DATA_DIR)
  return live === undefined ? { embedded: DATA_DIR, database } : { url: live, database }
}
