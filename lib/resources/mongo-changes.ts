import { deserialize } from 'bson'
import type { Filter } from 'mongodb'
import type { Fields, Shown, Stored } from '../../schemas/resource.js'
import { Batches, MAX_BYTES, MAX_ITEMS, MAX_UNDER_WAY, textBytes } from '../mongodb/batch.js'
import { bulkWrite, type Met, type Statement } from '../mongodb/bulk-write.js'
import { abortable, beginUnsent, isSent } from '../mongodb/driver-options.js'
import { findRaw } from '../mongodb/find-raw.js'
import { codeOf } from '../mongodb/outage.js'
import { DUPLICATE_KEY, type StoreGuard } from '../mongodb/store-guard.js'
import type { MongoRecords, StoredDocument } from './mongo-records.js'
import { Changed, type ChangeOutcome, type RecordChange, type RecordCondition } from './repository.js'

/** What became of a change that was not refused with an error. */
type Made<F extends Fields> = Shown<F> | Changed<Shown<F>> | boolean

/** Updates and deletes of records, alone and many at once. */
export class MongoChanges<F extends Fields> {
  #records: MongoRecords<F>
  #guard: StoreGuard
  /** Of records that are all different; undefined for a change that has to go alone. */
  #batches: Batches<RecordChange<F>, Made<F> | undefined>
  /** The records of these, by their ids: a second change of one goes alone. */
  #shared = new Set<string>()
  /** Whether the server takes many changes in one command, as MongoDB 8.0 does; a server that does not says so at the first one. */
  #takesMany = true

  constructor (records: MongoRecords<F>, guard: StoreGuard) {
    this.#records = records
    this.#guard = guard
    this.#batches = new Batches({
      operation: 'change',
      send: async (changes, signal) => this.#send(changes, signal),
      maxUnderWay: MAX_UNDER_WAY,
      maxItems: MAX_ITEMS,
      maxBytes: MAX_BYTES,
      bytesOf: ({ changes = {} }) => textBytes(changes),
      isSent
    })
  }

  /** Undefined also for a record that was there, and is gone now that its change was made. */
  async update (id: string, changes: Partial<Stored<F>>, condition?: RecordCondition<F>): Promise<Shown<F> | Changed<Shown<F>> | undefined> {
    const outcome = await this.#change({ id, changes, ...condition && { condition } })
    return typeof outcome === 'boolean' ? undefined : outcome
  }

  async delete (id: string, condition?: RecordCondition<F>): Promise<boolean | Changed<Shown<F>>> {
    const outcome = await this.#change({ id, ...condition && { condition } })
    return outcome instanceof Changed ? outcome : outcome === true
  }

  /** Changes of records that are all different, in a command for all. */
  async many (changes: readonly RecordChange<F>[]): Promise<ChangeOutcome<F>[]> {
    const outcomes = this.#takesMany ? await this.#guard.write(async (signal) => this.#together(changes, signal)) : []
    return Promise.all(changes.map(async (change, index) => outcomes[index] ?? this.#alone(change).catch((error: Error) => error)))
  }

  /** A change that shares its round trips with those of other records that wait at the same time. */
  async #change (change: RecordChange<F>): Promise<Made<F>> {
    const id = this.#records.ids.key(change.id)
    if (!this.#takesMany || this.#shared.has(id)) return this.#alone(change)
    this.#shared.add(id)
    try {
      const outcome = await this.#guard.writeIn(this.#batches, change)
      return outcome ?? await this.#alone(change)
    } finally {
      this.#shared.delete(id)
    }
  }

  async #send (changes: readonly RecordChange<F>[], signal: AbortSignal): Promise<(ChangeOutcome<F> | undefined)[]> {
    const [first, ...others] = changes
    return first && others.length === 0 ? [await this.#make(first, signal)] : this.#together(changes, signal)
  }

  /** The outcomes of changes that go together; undefined for one that has to go alone: another client came first, or an index refused it. */
  async #together (changes: readonly RecordChange<F>[], signal: AbortSignal): Promise<(ChangeOutcome<F> | undefined)[]> {
    beginUnsent(signal)
    const stored = await this.#records.current(changes.filter(({ condition }) => condition).map(({ id }) => id), signal)
    const refusals = changes.map((change) => this.#refusal(change, stored.get(change.id)))
    const allowed = changes.filter((_, index) => refusals[index] === undefined)
    const met = await this.#makeAll(allowed, stored, signal)
    if (!met) return []
    const now = await this.#records.current(allowed.filter(({ changes }) => changes).map(({ id }) => id), signal)
    const outcomes = allowed.map((change, index) => this.#outcome(change, met[index], now.get(change.id)))
    return changes.map((change, index) => refusals[index] ?? outcomes[allowed.indexOf(change)])
  }

  /** What is answered without a change; undefined for a change that is to be made. */
  #refusal ({ changes, condition }: RecordChange<F>, stored: Buffer | undefined): Made<F> | undefined {
    if (!condition) return undefined
    const record = stored && this.#records.show(stored)
    if (!record) return false
    if (condition(record)) return undefined
    return changes ? unlessMade(new Changed(record), changes) : new Changed(record)
  }

  /** Only where an id is not there as an ObjectId is it looked for as text, where it may be either. Undefined where the server does not take many changes in one command. */
  async #makeAll (changes: readonly RecordChange<F>[], stored: ReadonlyMap<string, Buffer>, signal: AbortSignal): Promise<Met[] | undefined> {
    const { collection, ids } = this.#records
    const met = await bulkWrite(collection, changes.map((change) => this.#statement(change, ids.stored(change.id), stored)), signal)
    if (!met) {
      this.#takesMany = false
      return undefined
    }
    const again = changes.flatMap(({ condition }, index) => met[index] === 0 && !condition && ids.mayBeText ? [index] : [])
    const metAsText = await bulkWrite(collection, again.map((index) => this.#statement(changes[index] as RecordChange<F>, changes[index]?.id as string, stored)), signal) // there is one for each
    for (const [place, index] of again.entries()) met[index] = (metAsText as Met[])[place] as Met // as above; the server knew the first command
    return met
  }

  #statement ({ id, changes, condition }: RecordChange<F>, _id: StoredDocument['_id'], stored: ReadonlyMap<string, Buffer>): Statement {
    const document = condition && stored.get(id)
    const filter = document ? this.#sameAs(document) : { _id }
    return changes ? { filter, set: this.#records.conversion.toBson(changes) } : { filter }
  }

  #outcome ({ changes, condition }: RecordChange<F>, met: Met | undefined, now: Buffer | undefined): ChangeOutcome<F> | undefined {
    if (met instanceof Error) return codeOf(met) === DUPLICATE_KEY ? undefined : this.#guard.ownError(met)
    if (met === 0) return condition ? undefined : false
    return changes && now ? this.#records.show(now) : true
  }

  async #alone (change: RecordChange<F>): Promise<Made<F>> {
    return this.#guard.write(async (signal) => this.#make(change, signal))
  }

  async #make (change: RecordChange<F>, signal: AbortSignal): Promise<Made<F>> {
    const { id, condition } = change
    if (condition) return this.#makeIf(change, condition, signal)
    const { ids } = this.#records
    const made = await this.#makeOn({ _id: ids.stored(id) }, change, signal)
    return made || !ids.mayBeText ? made : this.#makeOn({ _id: id }, change, signal)
  }

  /**
   * Changes a record that meets the condition, by a write that finds it only as it was then. Where another client came first, the condition
   * is asked again.
   */
  async #makeIf (change: RecordChange<F>, condition: RecordCondition<F>, signal: AbortSignal): Promise<Made<F>> {
    beginUnsent(signal)
    for (;;) {
      const stored = (await this.#records.current([change.id], signal)).get(change.id)
      if (!stored) return false
      const refusal = this.#refusal({ ...change, condition }, stored)
      if (refusal !== undefined) return refusal
      const made = await this.#makeOn(this.#sameAs(stored), change, signal)
      if (made) return made
    }
  }

  async #makeOn (filter: Filter<StoredDocument>, { changes }: RecordChange<F>, signal: AbortSignal): Promise<Shown<F> | boolean> {
    if (!changes) return this.#deleteOne(filter, signal)
    const document = await this.#updateOne(filter, changes, signal)
    return document ? this.#records.show(document) : false
  }

  /** Without a change the document itself. */
  async #updateOne (filter: Filter<StoredDocument>, changes: Partial<Stored<F>>, signal: AbortSignal): Promise<Buffer | undefined> {
    const { collection, conversion, projection } = this.#records
    if (Object.keys(changes).length === 0) return (await findRaw(collection, filter, { limit: 1, signal, projection }))[0]
    const options = { returnDocument: 'after', raw: true, ...abortable(signal) } as const
    const document = await collection.findOneAndUpdate(filter, { $set: conversion.toBson(changes) }, options)
    return (document ?? undefined) as object | undefined as Buffer | undefined // with raw: true the driver answers bytes, which its types do not say
  }

  async #deleteOne (filter: Filter<StoredDocument>, signal: AbortSignal): Promise<boolean> {
    const { deletedCount } = await this.#records.collection.deleteOne(filter, abortable(signal))
    return deletedCount === 1
  }

  /** A filter that finds the document only while its fields are what they are. */
  #sameAs (document: Buffer): Filter<StoredDocument> {
    const stored = deserialize(document, { promoteValues: false, bsonRegExp: true })
    const same = Object.keys(this.#records.projection).map((name) => [name, name in stored ? { $eq: stored[name] } : { $exists: false }])
    return Object.fromEntries(same)
  }
}

/** What was applied already is no conflict: it is a retry, whose first answer was lost (RFC 9110 section 13.1.1). */
function unlessMade<F extends Fields> (changed: Changed<Shown<F>>, changes: Partial<Stored<F>>): Shown<F> | Changed<Shown<F>> {
  const current = changed.current as Record<string, unknown> // by a name its value is unknown
  const isMade = Object.entries(changes).every(([name, value]) => (current[name] ?? null) === value)
  return isMade ? changed.current : changed
}
