import { MongoError } from '../errors.js'

export const maxWriteBatch = 100_000

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

export function checkBatch (operations: unknown[]): void {
  if (operations.length > 0 && operations.length <= maxWriteBatch) return
  throw new MongoError('InvalidLength', `Write batch sizes must be between 1 and ${maxWriteBatch}. Got ${operations.length} operations.`)
}
