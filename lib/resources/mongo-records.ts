import type { Collection, Document, Filter, ObjectId, UUID } from 'mongodb'
import type { Fields, Resource, Shown } from '../../schemas/resource.js'
import { OF_PRIMARY } from '../mongodb/driver-options.js'
import { findRaw } from '../mongodb/find-raw.js'
import type { ListQuery } from '../query/list-query.js'
import { compileDocument, type DocumentReader } from '../serialization/bson-json.js'
import { RawDocument, RawList } from '../serialization/raw-document.js'
import { FieldConversion } from './fields.js'
import { StoredIds } from './stored-ids.js'

/** A stored record. Ids are those of its resource; code of the tutorial's older versions stored ObjectIds as text. */
export interface StoredDocument extends Document {
  _id: ObjectId | UUID | string
}

/** How the records of a resource are read from their collection, and shown. */
export class MongoRecords<F extends Fields> {
  readonly collection: Collection<StoredDocument>
  readonly conversion: FieldConversion<F>
  readonly ids: StoredIds
  /** What is read of a stored record; whatever else it holds stays in the database. */
  readonly projection: Readonly<Record<string, 1>>
  #primary: Collection<StoredDocument>
  #reader: DocumentReader

  /** Throws a TypeError for a resource that its bytes cannot be shown of: that would be served many times slower. */
  constructor (collection: Collection<StoredDocument>, { name, fields, ids, one }: Resource<F>) {
    this.collection = collection
    this.ids = new StoredIds(ids)
    this.conversion = new FieldConversion(fields)
    this.projection = Object.fromEntries(['_id', ...Object.keys(fields)].map((field) => [field, 1]))
    this.#primary = collection.db.collection<StoredDocument>(collection.collectionName, OF_PRIMARY)
    const reader = compileDocument(one as object)
    if (!reader) throw new TypeError(`${name}: a field has a schema that is not served: a string, number, integer, boolean, date-time or enum is`)
    this.#reader = reader
  }

  /** A stored record, with its bytes behind it. */
  show (bson: Buffer): Shown<F> {
    return RawDocument.behind(this.#reader.read(bson) as Shown<F>, { bson }) // by the schema behind the type
  }

  showList (documents: readonly Buffer[], { fields }: ListQuery): { items: Shown<F>[] } {
    // with the tags of the records, which are made from all their fields
    const only = fields && !fields.includes('etag') ? new Set(['id', ...fields]) : undefined
    return RawList.under('items', documents, (bson) => this.#reader.read(bson, only) as Shown<F>, only) // as above
  }

  /** The records with these ids, each in its place. Only where an id is not there as an ObjectId is it looked for as text, where it may be either. */
  async readMany (ids: readonly string[], signal: AbortSignal, collection = this.collection): Promise<(Buffer | undefined)[]> {
    const keys = ids.map((id) => this.ids.key(id))
    const found = await this.#findById(collection, Array.from(new Set(keys), (key) => this.ids.stored(key)), signal)
    const missing = this.ids.mayBeText ? Array.from(new Set(ids)).filter((id) => !found.has(this.ids.key(id))) : []
    const foundAsText = missing.length > 0 ? await this.#findById(collection, missing, signal) : found
    return ids.map((id, index) => found.get(keys[index]) ?? foundAsText.get(id))
  }

  /** The same as the primary has them, by their ids; what is not there is left out. */
  async current (ids: readonly string[], signal: AbortSignal): Promise<Map<string, Buffer>> {
    if (ids.length === 0) return new Map()
    const found = await this.readMany(ids, signal, this.#primary)
    return new Map(ids.flatMap((id, index): [string, Buffer][] => found[index] ? [[id, found[index]]] : []))
  }

  /** By the id as it is shown. */
  async #findById (collection: Collection<StoredDocument>, ids: StoredDocument['_id'][], signal: AbortSignal): Promise<Map<string | undefined, Buffer>> {
    const [first, ...others] = ids
    const filter = { _id: others.length > 0 ? { $in: ids } : first } as Filter<StoredDocument> // of one of the two types
    const found = await findRaw(collection, filter, { limit: ids.length, signal, projection: this.projection })
    return new Map(found.map((bson) => [this.ids.of(bson)?.text, bson]))
  }
}
