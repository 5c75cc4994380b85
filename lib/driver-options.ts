import type { Abortable, CollectionOptions, CommandOperationOptions } from 'mongodb'

/** How our code expects values from the driver; a host's client may have other BSON options. */
export const BSON_OPTIONS: CollectionOptions = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  useBigInt64: false,
  ignoreUndefined: true // a field that is undefined is one that is not given, and no null
}

/** The driver obeys a signal on every operation, but declares it for reads only. */
export function abortable (signal: AbortSignal): CommandOperationOptions & Abortable {
  return { signal }
}
