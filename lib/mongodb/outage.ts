/**
 * MongoDB's codes after which a driver asks for a read once more (specification "Retryable Reads"). The driver keeps its own
 * list to itself; a test holds the two together.
 */
const RETRYABLE_CODES = new Set<unknown>([6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/**
 * Its other codes for a server that can't serve now: Unauthorized and AuthenticationFailed, where the credentials of the URL are
 * good no more, LockTimeout, MaxTimeMSExpired, WriteConcernFailed, UnsatisfiableWriteConcern, WriteConflict,
 * FailedToSatisfyReadPreference, NetworkInterfaceExceededTimeLimit, TemporarilyUnavailable, IngressRequestRateLimitExceeded, Interrupted.
 */
const OTHER_CODES = new Set<unknown>([13, 18, 24, 50, 64, 100, 112, 133, 202, 365, 462, 11601])

/** Node's codes of a connection that is gone, which reach the driver's callers as they are when a write meets it first. */
const SOCKET_CODES = new Set<unknown>([
  'ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTCONN', 'EPIPE', 'ETIMEDOUT',
  'ERR_SOCKET_CLOSED', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'
])

/** The driver's errors, by name: a host's client may come from another copy of the driver. */
const LOST_CONNECTIONS = new Set([
  'MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoPoolClearedError', 'PoolClearedOnNetworkError', 'MongoPoolClearedOnNetworkError'
])
const OTHER_NAMES = new Set([
  'MongoServerSelectionError', 'MongoTopologyClosedError', 'MongoServerClosedError', 'MongoNotConnectedError', 'MongoClientClosedError',
  'MongoPoolClosedError', 'MongoExpiredSessionError', 'MongoStalePrimaryError', 'MongoWaitQueueTimeoutError', 'MongoOperationTimeoutError',
  'MongoWriteConcernError',
  'TimeoutError', 'AbortError', 'OverloadedError'
])

/** What the driver and we say of a reply that is none, and MongoDB's codes for a command that is none: InvalidBSON and ProtocolError. */
const GARBLED_REPLIES = new Set(['MongoUnexpectedServerResponseError', 'MongoParseError', 'MongoRuntimeError', 'MongoDecompressionError', 'CorruptBsonError'])
const SAID_BY_SERVER = new Set(['MongoServerError', 'MongoBulkWriteError'])
const GARBLED_COMMANDS = new Set<unknown>([17, 22])

/** Where the driver reads replies; of bytes it can make nothing of it throws also errors of BSON and of JavaScript itself. */
const READS_REPLY = /parseToElements|deserializeObject|OpReply|OpMsgResponse|decompressResponse/

/** What servers before 4.4 say without a code. */
const OLD_MESSAGES = /not master|node is recovering/i

/** Whether an error says that the database is away or can't serve now: nothing is wrong with the request. */
export function isOutage (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return isRetryableRead(error) || isGarbled(error) || OTHER_NAMES.has(error.name) || OTHER_CODES.has(codeOf(error))
}

/**
 * Whether what came from the database, or what came to it, was not what was sent: nobody sends it like that, so something on the way
 * has changed it. Its connection may be out of step.
 */
export function isGarbled (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (SAID_BY_SERVER.has(error.name)) return GARBLED_COMMANDS.has(codeOf(error)) || /invalid BSON/i.test(error.message)
  return GARBLED_REPLIES.has(error.name) || READS_REPLY.test(String(error.stack))
}

/** Whether a read that failed by it is worth another try at once. */
export function isRetryableRead (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  return LOST_CONNECTIONS.has(error.name) || RETRYABLE_CODES.has(code) || SOCKET_CODES.has(code) || OLD_MESSAGES.test(error.message)
}

export function codeOf (error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
