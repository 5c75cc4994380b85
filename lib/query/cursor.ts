import { createHash } from 'node:crypto'

/** The first byte of every cursor; another one is of another version. */
const VERSION = 1

const CHECK_BYTES = 4
const SCOPE_BYTES = 8

/** Where a page begins. */
export interface Cursor {
  /** Whether the page lies after the position, or before it. */
  direction: 'after' | 'before'
  /** The sort keys and `_id` of the record at that position, as a BSON document; undefined for the end of the list. */
  values?: Buffer
}

/** Why a cursor is refused. */
export type CursorFault = 'is malformed' | 'is of another version' | 'belongs to another sort or filter'

/** Whom a cursor is for: a hash of what the pages of a list must have in common. */
export function scopeOf (text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, SCOPE_BYTES)
}

/**
 * The cursor as text: base64url (RFC 4648 section 5) of version, direction, scope, the values as BSON, and a check value over all of them.
 * It grants nothing that a filter would not, so it is not signed.
 */
export function encodeCursor ({ direction, values }: Cursor, scope: Buffer): string {
  const body = Buffer.concat([Buffer.from([VERSION, direction === 'after' ? 0 : 1]), scope, ...values ? [values] : []])
  return Buffer.concat([body, check(body)]).toString('base64url')
}

/** The cursor that the text is, or why it is none for this scope. */
export function decodeCursor (text: string, scope: Buffer): Cursor | CursorFault {
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder takes what is not base64url too
  if (bytes.toString('base64url') !== text || bytes.length < 2 + SCOPE_BYTES + CHECK_BYTES) return 'is malformed'
  const body = bytes.subarray(0, -CHECK_BYTES)
  if (body[0] !== VERSION) return 'is of another version'
  if (!check(body).equals(bytes.subarray(-CHECK_BYTES)) || Number(body[1]) > 1) return 'is malformed'
  if (!body.subarray(2, 2 + SCOPE_BYTES).equals(scope)) return 'belongs to another sort or filter'
  const direction = body[1] === 0 ? 'after' : 'before'
  const values = body.subarray(2 + SCOPE_BYTES)
  return values.length === 0 ? { direction } : { direction, values }
}

function check (body: Buffer): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES)
}
