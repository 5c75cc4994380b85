import type { Config } from '../config.js'
import type { CouchbaseOptions } from './couchbase.js'
import type { DatabaseOptions } from './database-options.js'

/**
 * The database of the configuration, for commands beside the server: a live embedded store is shared with the process
 * that holds it, and one is started only where none lives.
 */
export async function storeOf ({ MONGODB_URL, MONGODB_DATABASE, MONGODB_TIMEOUT_MS, DATA_DIR }: Config): Promise<DatabaseOptions> {
  const common = { database: MONGODB_DATABASE, timeoutMs: MONGODB_TIMEOUT_MS }
  if (MONGODB_URL) return { url: MONGODB_URL, ...common }
  const { find } = await import('../embedded/index.js')
  const live = await find(DATA_DIR)
  return live === undefined ? { embedded: DATA_DIR, ...common } : { url: live, ...common }
}

/** The Couchbase bucket of the configuration, if it names one; loadConfig has seen to it that the rest is there. */
export function couchbaseOf (config: Config): CouchbaseOptions | undefined {
  const { COUCHBASE_URL: url, COUCHBASE_USERNAME: username = '', COUCHBASE_PASSWORD: password = '' } = config
  const { COUCHBASE_BUCKET: bucket = '', COUCHBASE_TIMEOUT_MS: timeoutMs } = config
  return url ? { url, username, password, bucket, timeoutMs } : undefined
}
