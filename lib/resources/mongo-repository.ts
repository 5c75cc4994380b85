import type { Collection } from 'mongodb'
import type { Fields, Resource, Shown, Stored } from '../../schemas/resource.js'
import { Batches, MAX_ITEMS, MAX_UNDER_WAY } from '../mongodb/batch.js'
import { Inserts } from '../mongodb/inserts.js'
import type { StoreGuard } from '../mongodb/store-guard.js'
import type { ListQuery, Page } from '../query/list-query.js'
import { MongoChanges } from './mongo-changes.js'
import { MongoLists } from './mongo-lists.js'
import { MongoRecords, type StoredDocument } from './mongo-records.js'
import type { Capability, Changed, ChangeOutcome, NewRecord, RecordChange, RecordCondition, Repository } from './repository.js'

/**
 * The records of a resource in a collection of MongoDB. What comes at the same time shares round trips, each kind of operations its own.
 */
export class MongoRepository<F extends Fields> implements Repository<F> {
  readonly capabilities: readonly Capability[] = ['query', 'conditions', 'stream', 'bulk']
  #guard: StoreGuard
  #records: MongoRecords<F>
  #reads: Batches<string, Buffer | undefined>
  #inserts: Inserts<StoredDocument>
  #changes: MongoChanges<F>
  #lists: MongoLists

  /** Throws a TypeError for a resource that its bytes cannot be shown of. */
  constructor (collection: Collection<StoredDocument>, guard: StoreGuard, resource: Resource<F>) {
    const records = new MongoRecords(collection, resource)
    this.#guard = guard
    this.#records = records
    this.#reads = new Batches({ operation: 'find_by_id', send: async (ids, signal) => records.readMany(ids, signal), maxUnderWay: MAX_UNDER_WAY, maxItems: MAX_ITEMS })
    this.#inserts = new Inserts(collection, { isOwnId: true })
    this.#changes = new MongoChanges(records, guard)
    this.#lists = new MongoLists(collection, guard, Object.keys(resource.fields), records.ids)
  }

  async create (fields: Stored<F>, id = this.#records.ids.make()): Promise<Shown<F>> {
    await this.#guard.writeIn(this.#inserts.batches, this.#toDocument({ id, fields }))
    return { id, ...fields }
  }

  async createMany (records: readonly NewRecord<F>[]): Promise<(Error | undefined)[]> {
    const documents = records.map((record) => this.#toDocument(record))
    const errors = await this.#guard.write(async (signal) => this.#inserts.many(documents, signal))
    return errors.map((error) => error && this.#guard.ownError(error))
  }

  async list (query: ListQuery): Promise<Page<Shown<F>>> {
    const [{ items, ...beside }, total] = await Promise.all([this.#lists.page(query), query.count && this.#lists.total(query)])
    // an object for each caller, since a hook of a host's may change what it is shown
    return Object.assign(this.#records.showList(items, query), beside, total && { total })
  }

  async * stream (query: ListQuery, signal: AbortSignal): AsyncGenerator<{ items: Shown<F>[] }> {
    for await (const items of this.#lists.stream(query, signal)) yield this.#records.showList(items, query)
  }

  async find (id: string): Promise<Shown<F> | undefined> {
    const document = await this.#guard.readIn(this.#reads, id)
    return document && this.#records.show(document)
  }

  async update (id: string, changes: Partial<Stored<F>>, condition?: RecordCondition<F>): Promise<Shown<F> | Changed<Shown<F>> | undefined> {
    if (!condition && Object.keys(changes).length === 0) return this.find(id)
    return this.#changes.update(id, changes, condition)
  }

  async delete (id: string, condition?: RecordCondition<F>): Promise<boolean | Changed<Shown<F>>> {
    return this.#changes.delete(id, condition)
  }

  async changeMany (changes: readonly RecordChange<F>[]): Promise<ChangeOutcome<F>[]> {
    return this.#changes.many(changes)
  }

  #toDocument ({ id, fields }: NewRecord<F>): StoredDocument {
    return { _id: this.#records.ids.stored(id), ...this.#records.conversion.toBson(fields) }
  }
}
