import type { Config } from '../../config.js'
import type { CouchbaseSdk } from '../../lib/users/couchbase.js'

/** What a look found, and what to do about it. */
export interface Finding {
  state: 'ok' | 'warning' | 'error'
  text: string
}

/** What the looks go by, and tests set. */
export interface Means {
  /** Of Node. */
  version: string
  /** How much of the disk should be free. */
  leastFreeBytes: number
  /** The package couchbase, if not the one that is installed. */
  sdk?: CouchbaseSdk | undefined
}

/** Throws an Error where it could not look, which is a finding too. */
export type Check = (config: Config, means: Means) => Promise<Finding[]>

export const ok = (text: string): Finding => ({ state: 'ok', text })
export const warning = (text: string): Finding => ({ state: 'warning', text })
export const error = (text: string): Finding => ({ state: 'error', text })
