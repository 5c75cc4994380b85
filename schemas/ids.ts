import { ObjectIdHex } from './common.js'

/** What identifies the records of a resource. */
export interface Ids {
  /** The pattern of an id; a path with anything else is 422. */
  pattern: string
  /**
   * Makes the id of a new record from 24 hexadecimal digits that no other record has, and that are greater the later they are. The same digits
   * have to make the same id, so that a request that is sent again meets what it made before; others have to make others.
   */
  of: (seed: string) => string
  /** What the documents say of an id. */
  description?: string
  /** How ids stand in `_id`: as text, the default, or as UUIDs (BSON binary of subtype 4), of which `pattern` and `of` have to make the text. */
  stored?: 'text' | 'uuid'
}

/** Ids that MongoDB makes, and that code of the tutorial's older versions stored as text. Every resource has them unless it says otherwise. */
export const objectIds: Ids = { pattern: String(ObjectIdHex.pattern), of: (seed) => seed, description: String(ObjectIdHex.description) }

/**
 * UUIDs of version 7 (RFC 9562 section 5.7), stored as such: the second of the seed as the time, then its other 64 bits in their order, so ids
 * sort by when they were made.
 */
export const uuids: Ids = {
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  of: (seed) => {
    const time = (parseInt(seed.slice(0, 8), 16) * 1_000).toString(16).padStart(12, '0')
    const rest = seed.slice(8)
    return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}00`
  },
  description: 'The id that the server assigned: a UUID.',
  stored: 'uuid'
}

/** What two texts have in common that name the same record: hexadecimal digits have no case. */
export function keyOf (ids: Ids, id: string): string {
  return ids === objectIds ? id.toLowerCase() : id
}
