import { MongoServerError, type ClientBulkWriteResult, type Collection, type MongoClientBulkWriteError, type Document } from 'mongodb'
import { abortable } from './driver-options.js'
import { codeOf } from './outage.js'

/** A change of one document: fields that are set, or that it is deleted. */
export interface Statement {
  filter: Document
  /** What is set; without it the document is deleted. */
  set?: Document
}

/** How many documents a statement met, 0 or 1; or the error of that statement alone. */
export type Met = number | Error

const COMMAND_NOT_FOUND = 59

/**
 * Makes many changes in one command, in no order. Undefined where the server does not know it: MongoDB does since 8.0. Throws what reaches all of
 * them.
 */
export async function bulkWrite<T extends Document> (collection: Collection<T>, statements: readonly Statement[], signal: AbortSignal): Promise<Met[] | undefined> {
  if (statements.length === 0) return []
  try {
    return await inOneCommand(collection, statements, signal)
  } catch (error) {
    if (codeOf(error) !== COMMAND_NOT_FOUND) throw error
    return undefined
  }
}

async function inOneCommand<T extends Document> ({ namespace, db, writeConcern }: Collection<T>, statements: readonly Statement[], signal: AbortSignal): Promise<Met[]> {
  const models = statements.map(({ filter, set }) => set ? { namespace, name: 'updateOne' as const, filter, update: { $set: set } } : { namespace, name: 'deleteOne' as const, filter })
  const options = { ordered: false, verboseResults: true, ...writeConcern && { writeConcern }, ...abortable(signal) }
  try {
    const result = await db.client.bulkWrite(models, options)
    return statements.map((_, index) => metBy(result, index))
  } catch (error) {
    if (!isBulkWriteError(error)) throw error
    // of the whole command
    if (error.cause) throw error.cause
    const [concern] = error.writeConcernErrors
    if (concern) throw new MongoServerError(concern)
    const { writeErrors, partialResult } = error
    return statements.map((_, index) => {
      const refused = writeErrors.get(index)
      return refused ? new MongoServerError({ code: refused.code, errmsg: refused.message }) : metBy(partialResult, index)
    })
  }
}

function metBy (result: ClientBulkWriteResult | undefined, index: number): number {
  return result?.updateResults?.get(index)?.matchedCount ?? result?.deleteResults?.get(index)?.deletedCount ?? 0
}

/** By name: a host's client may come from another copy of the driver. */
function isBulkWriteError (error: unknown): error is MongoClientBulkWriteError {
  return error instanceof Error && error.name === 'MongoClientBulkWriteError'
}
