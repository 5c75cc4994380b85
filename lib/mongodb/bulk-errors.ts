import { MongoServerError, MongoWriteConcernError, type MongoBulkWriteError } from 'mongodb'

/**
 * The error of an unordered `insertMany` as each document's own; undefined for one that is stored and acknowledged.
 * Throws what reaches all of them: an error of the network, or of the whole command.
 */
export function toOwnErrors (error: unknown, length: number): (MongoServerError | undefined)[] {
  if (!isBulkWriteError(error)) throw error
  const { errorResponse, result } = error
  if (errorResponse instanceof Error) throw errorResponse // the driver's own error, wrapped
  const writeErrors = result.getWriteErrors()
  const concern = result.getWriteConcernError()
  if (writeErrors.length === 0 && !concern) throw error
  const unacknowledged = concern && new MongoWriteConcernError({ ok: 1, writeConcernError: concern.toJSON() })
  const errors = Array.from<unknown, MongoServerError | undefined>({ length }, () => unacknowledged)
  for (const { index, code, errmsg, errInfo } of writeErrors) errors[index] = new MongoServerError({ code, errmsg, errInfo })
  return errors
}

/** By name: a host's client may come from another copy of the driver. */
function isBulkWriteError (error: unknown): error is MongoBulkWriteError {
  return error instanceof Error && error.name === 'MongoBulkWriteError'
}
