import { StoreUnavailableError } from '../http/errors.js'

/** The SDK's errors, by name (its classes come from an optional package), for a request that the server did not carry out. */
export const REFUSED = new Set([
  'UnambiguousTimeoutError', 'ServiceNotAvailableError', 'TemporaryFailureError', 'RateLimitedError',
  'DocumentLockedError', 'DurableWriteInProgressError', 'DurableWriteReCommitInProgressError', 'DurabilityImpossibleError',
  'BucketNotFoundError', 'NeedOpenBucketError'
])

/** Those for a request that may have reached the server and had no answer. */
export const UNANSWERED = new Set([
  'TimeoutError', 'AmbiguousTimeoutError', 'RequestCanceledError', 'InternalServerFailureError',
  'DurabilityAmbiguousError', 'ConnectionClosedError', 'ClusterClosedError'
])

/** Codes of the network errors that the SDK hands on as bare errors: from resolve_failure to bucket_closed. */
const NETWORK_CODES = { first: 1001, last: 1013 }

/** A StoreUnavailableError where the SDK's error says that the server can't serve now; any other error as it is. */
export function asUnavailable (error: unknown, operation: 'read' | 'write'): unknown {
  const isRefused = isNamed(error, REFUSED)
  if (!isRefused && !isNamed(error, UNANSWERED) && !isNetworkError(error)) return error
  const written = isRefused ? 'Nothing was changed.' : 'The change may have been applied.'
  return new StoreUnavailableError(operation === 'read' ? 'Try again later.' : written, { cause: error })
}

export function isNamed (error: unknown, names: ReadonlySet<string>): boolean {
  return error instanceof Error && names.has(error.name)
}

function isNetworkError (error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'number')) return false
  return error.code >= NETWORK_CODES.first && error.code <= NETWORK_CODES.last
}
