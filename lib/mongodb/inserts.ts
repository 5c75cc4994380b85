import { setMaxListeners } from 'node:events'
import type { Collection, Document, MongoServerError, OptionalUnlessRequiredId } from 'mongodb'
import { Batches, MAX_BYTES, MAX_ITEMS, MAX_UNDER_WAY, textBytes } from './batch.js'
import { toOwnErrors } from './bulk-errors.js'
import { abortable, isSent } from './driver-options.js'
import { DUPLICATE_KEY, isDuplicateId } from './store-guard.js'

export interface InsertOptions {
  /** Whether the `_id` of each document was made for it, so one that is there already is this document, whose first answer was lost. */
  isOwnId: boolean
}

/** Inserts into a collection, where each document has an error of its own. */
export class Inserts<T extends Document> {
  /** Of documents that come at the same time, which share a round trip. */
  readonly batches: Batches<T, undefined>
  #collection: Collection<T>
  #isOwnId: boolean

  constructor (collection: Collection<T>, { isOwnId }: InsertOptions) {
    this.#collection = collection
    this.#isOwnId = isOwnId
    this.batches = new Batches<T, undefined>({
      operation: 'insert',
      send: async (documents, signal) => this.many(documents, signal),
      maxUnderWay: MAX_UNDER_WAY,
      maxItems: MAX_ITEMS,
      maxBytes: MAX_BYTES,
      bytesOf: textBytes,
      isSent
    })
  }

  /** Stores the documents and answers with the error of each, or undefined. */
  async many (documents: readonly T[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    const [first, ...others] = documents
    if (first && others.length === 0) return [await this.#one(first, signal)]
    try {
      await this.#collection.insertMany(documents as readonly OptionalUnlessRequiredId<T>[], { ordered: false, ...abortable(signal) })
      return documents.map(() => undefined)
    } catch (error) {
      return this.#askAlone(documents, toOwnErrors(error, documents.length), signal)
    }
  }

  /** The driver leaves out the fields of the index that refused a document; asked for alone, it tells them. */
  async #askAlone (documents: readonly T[], errors: (MongoServerError | undefined)[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    setMaxListeners(documents.length, signal) // each of them listens to it
    return Promise.all(documents.map(async (document, index) =>
      errors[index]?.code === DUPLICATE_KEY ? this.#one(document, signal) : errors[index]))
  }

  async #one (document: T, signal: AbortSignal): Promise<Error | undefined> {
    return this.#collection.insertOne(document as OptionalUnlessRequiredId<T>, abortable(signal)).then(() => undefined, (error: Error) =>
      this.#isOwnId && isDuplicateId(error) ? undefined : error)
  }
}
