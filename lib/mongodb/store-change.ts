/** A database that is known to be away, or to be there again. */
export type StoreChange = 'lost' | 'back'

interface Log {
  error (text: string): void
  info (text: string): void
}

/** One line each: that requests fail meanwhile shows in their own. */
export function logStoreChange (log: Log, change: StoreChange): void {
  if (change === 'lost') log.error('database lost: requests that need it are answered 503')
  else log.info('database back')
}
