import { MongoClient, MongoCompatibilityError, MongoServerError, type MongoClientOptions } from 'mongodb'
import { withDeadline } from './deadline.js'
import { DEFAULTS } from './database-options.js'
import { SetupError } from '../http/errors.js'

/** The limit for reaching the server at start. */
const CONNECT_LIMIT_MS = 8_000

const HOST = "(?:\\[[0-9a-fA-F:.]+\\]|(?:[\\w.~!*'()-]|%[0-9a-fA-F]{2})+)(?::\\d{1,5})?"

/** A URL of MongoDB or Couchbase whose parts can be told from each other; the first group is its hosts. */
const URL_PARTS = new RegExp(`^[a-z+]+://(?:[^@:/?#\\s]*(?::[^@:/?#\\s]*)?@)?(${HOST}(?:,${HOST})*)(?:/[^@#?\\s]*)?(?:\\?[^@#\\s]*)?$`)

const FORM = 'it has the form mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS, and in user and password the characters : / ? # [ ] @ and % stand as %3A %2F %3F %23 %5B %5D %40 and %25'

/** The part of an operation's time in which it has to get a connection, so that the driver gives up before its caller does. */
const WAIT_SHARE = 0.9

/** So that connections which a network drops without a word are not kept for long. */
const MAX_IDLE_MS = 60_000

/** With the driver's 2, a read would wait for all the connections that writes wait for. */
const MAX_CONNECTING = 10

/** The wire version of MongoDB 5.0, the first with the Stable API. */
const WIRE_VERSION_5_0 = 13

export interface ConnectOptions {
  /** The class of the client; another one is for tests. */
  Client?: typeof MongoClient
  limitMs?: number
  /** How long an operation may take, in milliseconds, default 1500. */
  timeoutMs?: number
}

/**
 * A connected client for a MongoDB URL, which is handed to the driver unchanged.
 * Throws SetupError if the URL is wrong or asks for unacknowledged writes, the server is out of reach, or it is older than MongoDB 5.0.
 * No message holds the URL's user, password or options.
 */
export async function connect (url: string, options: ConnectOptions = {}): Promise<MongoClient> {
  const { Client = MongoClient, limitMs = CONNECT_LIMIT_MS, timeoutMs = DEFAULTS.timeoutMs } = options
  const client = create(Client, url, timeoutMs)
  refuseUnacknowledged(client)
  let wireVersion = WIRE_VERSION_5_0
  client.on('serverDescriptionChanged', ({ newDescription: { maxWireVersion } }) => {
    if (maxWireVersion > 0) wireVersion = maxWireVersion
  })
  try {
    await withDeadline(limitMs, async () => client.connect())
    if (wireVersion < WIRE_VERSION_5_0) throw new MongoCompatibilityError('too old')
    return client
  } catch (error) {
    // closing waits for sockets that may never answer, so it goes on by itself
    client.close().catch(() => {})
    throw wireVersion < WIRE_VERSION_5_0 || isTooOld(error)
      ? new SetupError(`MongoDB 5.0 or newer is needed (for the Stable API); ${hosts(url)} is older`)
      : new SetupError(`MongoDB at ${hosts(url)} is out of reach: ${redact(error as Error, url)}`)
  }
}

/** Throws SetupError for a client whose writes are not acknowledged: the API could not tell what became of them. */
export function refuseUnacknowledged ({ options }: MongoClient): void {
  if (Number(options.writeConcern?.w ?? 1) !== 0) return
  throw new SetupError('the write concern w=0 does not tell whether a write worked: set w=1 or w=majority, or leave it out')
}

function create (Client: typeof MongoClient, url: string, timeoutMs: number): MongoClient {
  // of a URL in pieces any piece may be the password, so none is told
  if (!isUrl(url)) throw new SetupError(`the MongoDB URL is invalid: ${FORM}`)
  try {
    return new Client(url, clientOptions(url, timeoutMs))
  } catch (error) {
    throw new SetupError(`the MongoDB URL is invalid: ${redact(error as Error, url)}`)
  }
}

/** Ours only where the URL is silent: an option would otherwise win over it. */
function clientOptions (url: string, timeoutMs: number): MongoClientOptions {
  const given = new Set([...new URLSearchParams(url.split('?')[1])].map(([name]) => name.toLowerCase()))
  const defaults: MongoClientOptions = {
    // short, so that a frozen server is noticed and one that is back is found soon
    serverSelectionTimeoutMS: 5_000,
    // also the limit of a check of the server; one whose answer is lost costs all connections when it is over
    connectTimeoutMS: 2_000,
    heartbeatFrequencyMS: 1_000,
    waitQueueTimeoutMS: Math.ceil(WAIT_SHARE * timeoutMs),
    maxIdleTimeMS: MAX_IDLE_MS,
    maxConnecting: MAX_CONNECTING
  }
  const silent = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()))
  return {
    ...Object.fromEntries(silent),
    serverApi: { version: '1', strict: true, deprecationErrors: true }
  }
}

/** Whether a server is so old that the driver refuses it or that it lacks the command `hello` (CommandNotFound). */
function isTooOld (error: unknown): boolean {
  if (error instanceof MongoCompatibilityError) return true
  if (error instanceof MongoServerError) return error.code === 59
  return error instanceof Error && isTooOld(error.cause)
}

/** The hosts of a URL, without user, password, path and options; of a URL that is not well-formed nothing is told. */
export function hosts (url: string): string {
  return URL_PARTS.exec(url)?.[1] ?? 'the given URL'
}

/** Whether the parts of a URL can be told from each other, so that nothing of it that is told is a secret. */
export function isUrl (text: string): boolean {
  return URL_PARTS.test(text)
}

/** The message of an error (the driver throws nothing else) without any piece of the URL's user information or options. */
function redact ({ message }: Error, url: string): string {
  const userInfo = /\/\/(.*)@/s.exec(url)?.[1]?.split(':') ?? []
  const values = [...new URLSearchParams(url.split('?')[1])].map(([, value]) => value)
  const secrets = [...userInfo, ...userInfo.map(decode), ...values].filter((secret) => secret.length > 2)
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message)
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
