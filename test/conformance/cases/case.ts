import type { Document } from 'mongodb'
import { one } from '../values.js'
import type { Side } from '../side.js'

export interface Case {
  /** What it does, on either side; what it resolves with is compared. */
  run (side: Side): Promise<unknown>
  /** Rows that it exercises although the driver does not show it. */
  rows?: string[]
}

/** Collections that all cases share, and one with many documents that none changes. */
export const names = ['a', 'b', 'c']
export const large = 'large'
/** Collections that cases make and drop. */
export const passing = ['new', 'fresh']
export const largeCount = 250

export function collection (): string {
  return one(names)
}

/** What the shared collections have indexes on, each with `_id` behind it, so that filters and sorts go by them. */
export const indexed = ['name', 'n', 'type', 'extra', 'tags']

export function sortIndex (field: string): Document {
  return { key: { [field]: 1, _id: 1 }, name: `${field}_1__id_1` }
}
