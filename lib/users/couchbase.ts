import { hosts, isUrl } from '../mongodb/connect.js'
import { GRACE_MS, type CouchbaseBucket } from './couchbase-users.js'
import { isNamed } from './couchbase-errors.js'
import { withDeadline } from '../mongodb/deadline.js'
import { SetupError } from '../http/errors.js'
import { documentId } from './user-store.js'

/** The limit for reaching the server at start, where the time-out is longer. */
const CONNECT_LIMIT_MS = 8_000

const DEFAULT_TIMEOUT_MS = 5_000

const NOT_FOUND = new Set(['DocumentNotFoundError'])
const NOT_ALLOWED = new Set(['AuthenticationFailureError'])

/** The part of the package couchbase 4.7 that is used, declared here since the package is optional. */
export interface CouchbaseSdk {
  connect(url: string, options: {
    username: string
    password: string
    timeouts: CouchbaseTimeouts
  }): Promise<CouchbaseCluster>
}

/** In milliseconds. */
interface CouchbaseTimeouts {
  kvTimeout: number
  queryTimeout: number
  connectTimeout: number
  bootstrapTimeout: number
  resolveTimeout: number
}

interface CouchbaseCluster {
  bucket(name: string): CouchbaseBucket
  close(): Promise<void>
}

/** The Couchbase bucket that user profiles live in. */
export interface CouchbaseOptions {
  /** A connection string, such as `couchbases://cb.example.com`, handed to the SDK unchanged. */
  url: string
  username: string
  password: string
  bucket: string
  /** How long one operation may take, in milliseconds, default 5000; then the answer is 503. */
  timeoutMs?: number | undefined
  /** The package couchbase as the host loads it; without it, it is loaded here. */
  sdk?: CouchbaseSdk | undefined
}

export interface CouchbaseConnection {
  bucket: CouchbaseBucket
  timeoutMs: number
  close(): Promise<void>
}

/**
 * Connects, authenticates, sets the SDK's time-outs and reads from the bucket once.
 * Throws SetupError, within 10 s, if the package is missing, the server is out of reach, refuses the credentials or has no
 * such bucket. No message holds a credential.
 */
export async function connectCouchbase (options: CouchbaseOptions): Promise<CouchbaseConnection> {
  const { url, username, password, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const sdk = await (options.sdk ?? loadSdk())
  const connectMs = Math.min(timeoutMs, CONNECT_LIMIT_MS)
  const connecting = sdk.connect(url, { username, password, timeouts: timeouts(timeoutMs, connectMs) })
  try {
    const bucket = await withDeadline(connectMs + GRACE_MS, async () => open(await connecting, options.bucket))
    return { bucket, timeoutMs, close: () => close(connecting, timeoutMs) }
  } catch (error) {
    // not awaited: what connects late is closed then
    close(connecting, timeoutMs)
    throw new SetupError(reason(error, options))
  }
}

/** The package of that name. Throws SetupError if it is not there, or can't be loaded on this machine. */
export async function loadSdk (name = 'couchbase'): Promise<CouchbaseSdk> {
  try {
    // by a name that the compiler does not know: it would look for the package, which is optional
    const module: { default: CouchbaseSdk } = await import(name)
    return module.default
  } catch (error) {
    // not told by the error's code, which a module loader of the host may drop; a build for another machine ends here too
    throw new SetupError(`profiles on Couchbase need the package couchbase 4.7: npm install couchbase@4.7 (${error})`)
  }
}

function timeouts (operationMs: number, connectMs: number): CouchbaseTimeouts {
  return {
    kvTimeout: operationMs,
    queryTimeout: operationMs,
    connectTimeout: connectMs,
    bootstrapTimeout: connectMs,
    resolveTimeout: connectMs
  }
}

/** The bucket, once it has answered: the SDK opens it in the background and tells nobody how that went. */
async function open (cluster: CouchbaseCluster, name: string): Promise<CouchbaseBucket> {
  const bucket = cluster.bucket(name)
  await bucket.defaultCollection().get(documentId('')).catch((error) => {
    if (!isNamed(error, NOT_FOUND)) throw error
  })
  return bucket
}

/** Never fails: a server that does not answer is no reason to hold up the end of the app. */
async function close (connecting: Promise<CouchbaseCluster>, timeoutMs: number): Promise<void> {
  await withDeadline(timeoutMs, async () => (await connecting).close()).catch(() => {})
}

function reason (error: unknown, { url, username, password, bucket }: CouchbaseOptions): string {
  const server = `Couchbase at ${hosts(url)}`
  if (!isUrl(url)) return 'the Couchbase URL is not well-formed'
  if (isNamed(error, NOT_ALLOWED)) return `${server} refused the user name or the password`
  const secrets = [username, password].filter((secret) => secret.length > 2)
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), String(error))
  return `${server} is out of reach, or has no bucket ${bucket}: ${message}`
}
