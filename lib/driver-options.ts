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

/** The driver obeys a signal on every operation, but declares it for reads only. */
export function abortable (signal: AbortSignal): CommandOperationOptions & Abortable {
  return { signal }
}
