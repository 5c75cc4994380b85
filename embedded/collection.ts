import { afterPrefix, collectionPrefix } from './keys.js'
import { expiredEntries, entryOf, type TtlIndex } from './ttl.js'
import type { Storage } from './storage.js'
import type { Entry } from './table.js'

export interface Range {
  start: Buffer
  end: Buffer
  reverse: boolean
  limit: number
  /** How many bytes of values are enough. */
  bytes: number
}

interface Description {
  indexes: TtlIndex[]
}

/** Keys counted in one go: some milliseconds at most, so that other connections get their turn. */
const countSlice = 10_000

/** The documents of a namespace and the entries of its indexes: whatever changes one changes the other, in the same transaction. */
export class Collection {
  readonly namespace: string
  readonly prefix: Buffer
  readonly end: Buffer
  private readonly storage: Storage
  private description: Description | undefined

  constructor (storage: Storage, namespace: string) {
    this.storage = storage
    this.namespace = namespace
    this.prefix = collectionPrefix(namespace)
    this.end = afterPrefix(this.prefix)
  }

  /** Like the indexes, known in the work of a write only. */
  get exists (): boolean {
    return this.description !== undefined
  }

  get indexes (): TtlIndex[] {
    return this.description?.indexes ?? []
  }

  private get name (): Buffer {
    return Buffer.from(this.namespace)
  }

  get (key: Buffer): Buffer | undefined {
    return this.storage.documents.get(key)
  }

  /** The entries strictly between two keys, until there are `limit` of them or enough bytes. */
  read ({ start, end, reverse, limit, bytes }: Range): { entries: Entry[], end: boolean } {
    const bounds = reverse ? { start: end, end: start } : { start, end }
    const entries: Entry[] = []
    for (const entry of this.storage.documents.getRange({ ...bounds, reverse, exclusiveStart: true })) {
      if (entries.length === limit || bytes <= 0) return { entries, end: false }
      entries.push(entry)
      bytes -= entry.value.length
    }
    return { entries, end: true }
  }

  async count (): Promise<number> {
    const { documents } = this.storage
    const { end } = this
    let start = this.prefix
    const next = (): Buffer | undefined => [...documents.getKeys({ start, end, offset: countSlice, limit: 1 })][0]
    let counted = 0
    for (let key = next(); key !== undefined; key = next()) {
      start = key
      counted += countSlice
      await new Promise(setImmediate)
    }
    return counted + documents.getKeysCount({ start, end })
  }

  /** Runs `work` in the next group; the methods below belong in there. */
  write<T> (work: () => T): Promise<T> {
    return this.storage.write(() => {
      // other writes came before this one
      this.description = this.describe()
      return work()
    })
  }

  put (key: Buffer, document: Buffer): void {
    if (!this.exists) this.save([])
    this.unindex(key)
    this.index(key, document)
    this.storage.put(this.storage.documents, key, document)
  }

  remove (key: Buffer): void {
    this.unindex(key)
    this.storage.remove(this.storage.documents, key)
  }

  /** Removes up to `limit` documents per index that have expired by now; returns how many. */
  removeExpired (nowMs: number, limit: number): number {
    const expired = this.indexes.flatMap(({ expireAfterSeconds }, place) => {
      const range = expiredEntries(this.prefix, place, nowMs - expireAfterSeconds * 1000)
      return [...this.storage.entries.getRange({ ...range, limit })]
    })
    for (const { value } of expired) this.remove(value)
    return expired.length
  }

  /** Adds the entries of a document that is stored already. */
  index (key: Buffer, document: Buffer): void {
    for (const [place, { field }] of this.indexes.entries()) {
      const entry = entryOf(this.prefix, place, field, key, document)
      if (entry !== undefined) this.storage.put(this.storage.entries, entry, key)
    }
  }

  /** Writes down that the collection exists, with these indexes. An index keeps its place for good, since its entries' keys hold it. */
  save (indexes: TtlIndex[]): void {
    this.description = { indexes }
    this.storage.put(this.storage.collections, this.name, Buffer.from(JSON.stringify(this.description)))
  }

  /** Forgets an empty collection. */
  forget (): void {
    this.storage.remove(this.storage.collections, this.name)
  }

  private unindex (key: Buffer): void {
    const before = this.indexes.length === 0 ? undefined : this.get(key)
    if (before === undefined) return
    for (const [place, { field }] of this.indexes.entries()) {
      const entry = entryOf(this.prefix, place, field, key, before)
      if (entry !== undefined) this.storage.remove(this.storage.entries, entry)
    }
  }

  private describe (): Description | undefined {
    const stored = this.storage.collections.get(this.name)
    return stored === undefined ? undefined : JSON.parse(stored.toString())
  }
}

/** The namespaces of the collections whose names begin with this, all by default. */
export function namespaces (storage: Storage, prefix = ''): string[] {
  const start = Buffer.from(prefix)
  const range = prefix === '' ? {} : { start, end: afterPrefix(start) }
  return [...storage.collections.getKeys(range)].map(String)
}
