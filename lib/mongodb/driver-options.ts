import { ReadPreference, type Abortable, type CollectionOptions, type CommandOperationOptions } from 'mongodb'

/** How our code expects values from the driver; a host's client may have other BSON options. */
export const BSON_OPTIONS: CollectionOptions = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  useBigInt64: false,
  ignoreUndefined: true // a field that is undefined is one that is not given, and no null
}

/**
 * For what is read to decide whether somebody is let in, whatever the URL says: a secondary that lags would take a refresh token
 * for one that was used before.
 */
export const OF_PRIMARY: CollectionOptions = { ...BSON_OPTIONS, readPreference: ReadPreference.primary }

/** By signal, whether something of the operation was sent. It keeps nothing alive. */
const sent = new WeakMap<AbortSignal, boolean>()

/**
 * The driver obeys a signal on every operation, but declares it for reads only.
 *
 * It does not tell whether an operation that failed had been sent. But it turns a command into bytes only once it has a
 * connection for it, so a comment that notes this, and leaves nothing in the bytes, tells.
 */
export function abortable (signal: AbortSignal): CommandOperationOptions & Abortable {
  if (!sent.has(signal)) sent.set(signal, false)
  return { signal, ignoreUndefined: true, comment: { toBSON: () => { sent.set(signal, true) } } }
}

/** Says that of the operation with this signal nothing counts as sent before an `abortable` command is: what it reads first changes nothing. */
export function beginUnsent (signal: AbortSignal): void {
  sent.set(signal, false)
}

/** Whether something of an operation may have reached the server: not as long as the driver waits for a connection. */
export function isSent (signal: AbortSignal): boolean {
  return sent.get(signal) ?? true
}
