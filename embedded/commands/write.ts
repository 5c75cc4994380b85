import { serialize } from 'bson'
import { append, arrayOf, types } from '../bson.js'
import { MongoError } from '../errors.js'
import { ok } from './command.js'

export const maxWriteBatch = 100_000

/** MongoDB leaves the messages out after the one that goes over this, so that a reply stays within bounds (write_commands.cpp of MongoDB 7.0). */
const maxMessageBytes = 1024 * 1024

/** One refused operation of a batch. */
export interface WriteError {
  index: number
  code: number
  errmsg: string
}

/** A refusal as an entry of `writeErrors`; anything else is no answer to a client and goes on. */
export function writeErrorOf (index: number, error: unknown): WriteError {
  if (!(error instanceof MongoError)) throw error
  return { index, code: error.code, ...error.details, errmsg: error.message }
}

/** The reply of a batch of which `n` operations, or documents, went through. */
export function writeReply (n: number, writeErrors: WriteError[]): Uint8Array {
  if (writeErrors.length === 0) return ok({ n })
  let bytes = 0
  const entries = writeErrors.map(error => {
    const errmsg = bytes > maxMessageBytes ? '' : error.errmsg
    bytes += errmsg.length
    return Buffer.from(serialize({ ...error, errmsg }))
  })
  return append(ok({ n }), types.array, 'writeErrors', arrayOf(entries))
}

export function checkBatch (operations: unknown[]): void {
  if (operations.length > 0 && operations.length <= maxWriteBatch) return
  throw new MongoError('InvalidLength', `Write batch sizes must be between 1 and ${maxWriteBatch}. Got ${operations.length} operations.`)
}
