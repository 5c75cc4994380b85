import { setMaxListeners } from 'node:events'
import { deserialize } from 'bson'
import { ObjectId, type Collection, type Document, type Filter, type MongoServerError } from 'mongodb'
import { Batches } from '../mongodb/batch.js'
import { toOwnErrors } from '../mongodb/bulk-errors.js'
import { abortable, isSent, OF_PRIMARY } from '../mongodb/driver-options.js'
import { findRaw } from '../mongodb/find-raw.js'
import { RawDocument, RawList } from '../serialization/raw-document.js'
import { DUPLICATE_KEY, isDuplicateId, type StoreGuard } from '../mongodb/store-guard.js'
import { compileDocument, type DocumentReader } from '../serialization/bson-json.js'
import type { Fields, Resource, Shown, Stored } from '../../schemas/resource.js'
import type { ListQuery, Page } from '../query/list-query.js'
import { FieldConversion } from './fields.js'
import { Changed, type Capability, type RecordCondition, type Repository } from './repository.js'
import { MongoLists } from './mongo-lists.js'
import { idOf } from './stored-id.js'

/** With more the batches get smaller; with one a read that hangs would hold up all others. */
const MAX_UNDER_WAY = 2

/** So that no batch holds up the next one for long. */
const MAX_ITEMS = 256
const MAX_BYTES = 1_048_576

/** A stored record. Code of the tutorial's older versions made ids of another type. */
export interface StoredDocument extends Document {
  _id: ObjectId | string
}

/**
 * The records of a resource in a collection of MongoDB. Reads by id, creates and lists that come at the same time share a round trip.
 * Updates and deletes go alone, since no command tells what became of each of several.
 */
export class MongoRepository<F extends Fields> implements Repository<F> {
  readonly capabilities: readonly Capability[] = ['query', 'conditions', 'stream']
  #collection: Collection<StoredDocument>
  #guard: StoreGuard
  #conversion: FieldConversion<F>
  #reader: DocumentReader
  /** What is read of a stored record; whatever else it holds stays in the database. */
  #projection: Record<string, 1>

  #reads = new Batches<string, Buffer | undefined>({
    send: async (ids, signal) => this.#readMany(ids, signal), maxUnderWay: MAX_UNDER_WAY, maxItems: MAX_ITEMS
  })

  #creates = new Batches<StoredDocument, undefined>({
    send: async (documents, signal) => this.#insertMany(documents, signal),
    maxUnderWay: MAX_UNDER_WAY,
    maxItems: MAX_ITEMS,
    maxBytes: MAX_BYTES,
    bytesOf: textBytes,
    isSent
  })

  #lists: MongoLists

  /** Throws a TypeError for a resource that its bytes cannot be shown of: that would be served many times slower. */
  constructor (collection: Collection<StoredDocument>, guard: StoreGuard, { name, fields, one }: Resource<F>) {
    this.#collection = collection
    this.#guard = guard
    this.#conversion = new FieldConversion(fields)
    const reader = compileDocument(one as object)
    if (!reader) throw new TypeError(`${name}: a field has a schema that is not served: a string, number, integer, boolean, date-time or enum is`)
    this.#reader = reader
    this.#lists = new MongoLists(collection, guard, Object.keys(fields))
    this.#projection = Object.fromEntries(['_id', ...Object.keys(fields)].map((field) => [field, 1]))
  }

  async create (fields: Stored<F>): Promise<Shown<F>> {
    const _id = new ObjectId()
    await this.#guard.writeIn(this.#creates, { _id, ...this.#conversion.toBson(fields) })
    return { id: _id.toHexString(), ...fields }
  }

  async list (query: ListQuery): Promise<Page<Shown<F>>> {
    const [{ items, ...beside }, total] = await Promise.all([this.#lists.page(query), query.count && this.#lists.total(query)])
    // an object for each caller, since a hook of a host's may change what it is shown
    return Object.assign(this.#showList(items, query), beside, total && { total })
  }

  async * stream (query: ListQuery, signal: AbortSignal): AsyncGenerator<{ items: Shown<F>[] }> {
    for await (const items of this.#lists.stream(query, signal)) yield this.#showList(items, query)
  }

  async find (id: string): Promise<Shown<F> | undefined> {
    const document = await this.#guard.readIn(this.#reads, id)
    return document && this.#show(document)
  }

  async update (id: string, changes: Partial<Stored<F>>, condition?: RecordCondition<F>): Promise<Shown<F> | Changed<Shown<F>> | undefined> {
    if (condition) return this.#updateIf(id, changes, condition)
    if (Object.keys(changes).length === 0) return this.find(id)
    return this.#guard.write(async (signal) => {
      const document = await this.#updateOne({ _id: new ObjectId(id) }, changes, signal) ?? await this.#updateOne({ _id: id }, changes, signal)
      return document && this.#show(document)
    })
  }

  async delete (id: string, condition?: RecordCondition<F>): Promise<boolean | Changed<Shown<F>>> {
    return this.#guard.write(async (signal) => {
      if (!condition) return await this.#deleteOne({ _id: new ObjectId(id) }, signal) || this.#deleteOne({ _id: id }, signal)
      const outcome = await this.#changeIf(id, condition, signal, async (same) => await this.#deleteOne(same, signal) || undefined)
      return outcome ?? false
    })
  }

  async #updateIf (id: string, changes: Partial<Stored<F>>, condition: RecordCondition<F>): Promise<Shown<F> | Changed<Shown<F>> | undefined> {
    const outcome = await this.#guard.write(async (signal) =>
      this.#changeIf(id, condition, signal, async (same) => this.#updateOne(same, changes, signal)))
    if (!(outcome instanceof Changed)) return outcome && this.#show(outcome)
    // a retry of what was applied already: its first answer was lost (RFC 9110 section 13.1.1)
    const isMade = Object.entries(changes).every(([name, value]) => ((outcome.current as Record<string, unknown>)[name] ?? null) === value)
    return isMade ? outcome.current : outcome
  }

  /**
   * Changes a record that meets the condition, by a write that finds it only as it was then. Where another client came first, the condition
   * is asked again.
   */
  async #changeIf<T> (id: string, condition: RecordCondition<F>, signal: AbortSignal, change: (same: Filter<StoredDocument>) => Promise<T | undefined>) {
    for (;;) {
      const stored = await this.#current(id, signal)
      if (!stored) return undefined
      const record = this.#show(stored)
      if (!condition(record)) return new Changed(record)
      const changed = await change(sameAs(stored, this.#projection))
      if (changed !== undefined) return changed
    }
  }

  /** The record as the primary has it. */
  async #current (id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const primary = this.#collection.db.collection<StoredDocument>(this.#collection.collectionName, OF_PRIMARY)
    const options = { limit: 1, signal, projection: this.#projection }
    const [document] = await findRaw(primary, { _id: new ObjectId(id) }, options)
    return document ?? (await findRaw(primary, { _id: id }, options))[0]
  }

  /** A stored record, with its bytes behind it. */
  #show (bson: Buffer): Shown<F> {
    return RawDocument.behind(this.#reader.read(bson) as Shown<F>, { bson }) // by the schema behind the type
  }

  #showList (documents: readonly Buffer[], { fields }: ListQuery): { items: Shown<F>[] } {
    // with the tags of the records, which are made from all their fields
    const only = fields && !fields.includes('etag') ? new Set(['id', ...fields]) : undefined
    return RawList.under('items', documents, (bson) => this.#reader.read(bson, only) as Shown<F>, only) // as above
  }

  /** The records with these ids, each in its place. Only where an id is not there as an ObjectId is it looked for as text. */
  async #readMany (ids: string[], signal: AbortSignal): Promise<(Buffer | undefined)[]> {
    const found = await this.#findById(Array.from(new Set(ids.map((id) => id.toLowerCase())), (id) => new ObjectId(id)), signal)
    const missing = Array.from(new Set(ids)).filter((id) => !found.has(id.toLowerCase()))
    const foundAsText = missing.length > 0 ? await this.#findById(missing, signal) : found
    return ids.map((id) => found.get(id.toLowerCase()) ?? foundAsText.get(id))
  }

  /** By the id as it is shown. */
  async #findById (ids: StoredDocument['_id'][], signal: AbortSignal): Promise<Map<string | undefined, Buffer>> {
    const [first, ...others] = ids
    const found = await this.#find({ _id: others.length > 0 ? { $in: ids } : first } as Filter<StoredDocument>, ids.length, signal)
    return new Map(found.map((bson) => [idOf(bson)?.text, bson]))
  }

  async #find (filter: Filter<StoredDocument>, limit: number, signal: AbortSignal): Promise<Buffer[]> {
    return findRaw(this.#collection, filter, { limit, signal, projection: this.#projection })
  }

  /** Without a change the document itself. */
  async #updateOne (filter: Filter<StoredDocument>, changes: Partial<Stored<F>>, signal: AbortSignal): Promise<Buffer | undefined> {
    if (Object.keys(changes).length === 0) return (await this.#find(filter, 1, signal))[0]
    const options = { returnDocument: 'after', raw: true, ...abortable(signal) } as const
    const document = await this.#collection.findOneAndUpdate(filter, { $set: this.#conversion.toBson(changes) }, options)
    return (document ?? undefined) as object | undefined as Buffer | undefined // with raw: true the driver answers bytes, which its types do not say
  }

  async #deleteOne (filter: Filter<StoredDocument>, signal: AbortSignal): Promise<boolean> {
    const { deletedCount } = await this.#collection.deleteOne(filter, abortable(signal))
    return deletedCount === 1
  }

  /** Stores the documents and answers with the error of each, or undefined. */
  async #insertMany (documents: StoredDocument[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    const [first, ...others] = documents
    if (first && others.length === 0) return [await this.#insertOne(first, signal)]
    try {
      await this.#collection.insertMany(documents, { ordered: false, ...abortable(signal) })
      return documents.map(() => undefined)
    } catch (error) {
      return this.#askAlone(documents, toOwnErrors(error, documents.length), signal)
    }
  }

  /** The driver leaves out the fields of the index that refused a document; asked for alone, it tells them. */
  async #askAlone (documents: StoredDocument[], errors: (MongoServerError | undefined)[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    setMaxListeners(documents.length, signal) // each of them listens to it
    return Promise.all(documents.map(async (document, index) =>
      errors[index]?.code === DUPLICATE_KEY ? this.#insertOne(document, signal) : errors[index]))
  }

  async #insertOne (document: StoredDocument, signal: AbortSignal): Promise<Error | undefined> {
    return this.#collection.insertOne(document, abortable(signal)).then(() => undefined, orOwnDuplicate)
  }
}

/** The `_id` of a new record was made for it, so one that is there already is this record, whose first answer was lost. */
function orOwnDuplicate (error: Error): Error | undefined {
  return isDuplicateId(error) ? undefined : error
}

/** The most that the texts of a document take as UTF-8; its numbers count for little. */
function textBytes (document: StoredDocument): number {
  let length = 0
  for (const value of Object.values(document)) if (typeof value === 'string') length += value.length
  return 3 * length
}

/** A filter that finds the document only while these fields of it are what they are. */
function sameAs (document: Buffer, fields: Record<string, 1>): Filter<StoredDocument> {
  const stored = deserialize(document, { promoteValues: false, bsonRegExp: true })
  const same = Object.keys(fields).map((name) => [name, name in stored ? { $eq: stored[name] } : { $exists: false }])
  return Object.fromEntries(same)
}
