import { firstField } from './bson.js'
import { entryOf, sortedBy, type Index } from './indexes.js'
import { afterPrefix, collectionPrefix, idKey } from './keys.js'
import { expiredEntries } from './ttl.js'
import type { Path } from './plan.js'
import type { Range } from './ranges.js'
import type { Met } from './scan.js'
import type { Storage } from './storage.js'

export interface Walk {
  range: Range
  reverse: boolean
  /** The key to go on behind. */
  behind: Buffer | undefined
}

interface Description {
  indexes: Index[]
}

/** Keys counted in one go: some milliseconds at most, so that other connections get their turn. */
const countSlice = 10_000

/** The documents of a namespace and the entries of its indexes: whatever changes one changes the other, in the same transaction. */
export class Collection {
  readonly namespace: string
  readonly prefix: Buffer
  private readonly storage: Storage
  private description: Description | undefined

  constructor (storage: Storage, namespace: string) {
    this.storage = storage
    this.namespace = namespace
    this.prefix = collectionPrefix(namespace)
  }

  /** Like the indexes, known in the work of a write only. */
  get exists (): boolean {
    return this.description !== undefined
  }

  get indexes (): Index[] {
    return this.description?.indexes ?? []
  }

  /** The indexes as they are now, also to those who only read. */
  get known (): Index[] {
    return this.describe()?.indexes ?? []
  }

  private get name (): Buffer {
    return Buffer.from(this.namespace)
  }

  get (key: Buffer): Buffer | undefined {
    this.storage.documentsRead++
    return this.storage.documents.get(key)
  }

  /** The documents whose keys, in this table, are in a range. */
  * walk (table: Path['table'], { range, reverse, behind }: Walk): Generator<Met> {
    if (table === 'documents' && range.isPoint === true) {
      const value = behind === undefined ? this.get(range.start) : undefined
      if (value !== undefined) yield { at: range.start, key: range.start, value }
      return
    }
    const [start, end] = reverse ? [range.end, range.start] : [range.start, range.end]
    const bounds = { start: behind ?? start, end, reverse, exclusiveStart: reverse || behind !== undefined, inclusiveEnd: reverse }
    for (const { key, value } of this.storage[table].getRange(bounds)) {
      if (table === 'entries') yield { at: key, key: value, value: this.get(value) ?? this.storage.entries.refuse(key) }
      else {
        this.storage.documentsRead++
        yield { at: key, key, value }
      }
    }
  }

  /** The same documents in the order of a field and then their `_id`s. */
  inFullOrder (field: string, documents: Met[], reverse: boolean): Met[] {
    const keyed = documents.map(met => ({ met, key: Buffer.concat([sortedBy(field, met.value), idKey(firstField(met.value))]) }))
    return keyed.sort((a, b) => reverse ? Buffer.compare(b.key, a.key) : Buffer.compare(a.key, b.key)).map(({ met }) => met)
  }

  /** How many keys there are, as far as to a limit; in one go. */
  countKeys (table: Path['table'], ranges: Range[], limit: number): number {
    let counted = 0
    for (const { start, end } of ranges) counted += this.storage[table].getKeysCount({ start, end, limit: limit - counted })
    return counted
  }

  /** The same for any number, in turns with other work. */
  async count ({ table, ranges }: Pick<Path, 'table' | 'ranges'>, limit = Infinity): Promise<number> {
    let counted = 0
    for (const { start: first, end } of ranges) {
      const next = (start: Buffer): Buffer | undefined => [...this.storage[table].getKeys({ start, end, offset: countSlice, limit: 1 })][0]
      let start = first
      for (let key = next(start); key !== undefined && counted < limit; key = next(start)) {
        start = key
        counted += countSlice
        await new Promise(setImmediate)
      }
      if (counted < limit) counted += this.countKeys(table, [{ start, end }], countSlice)
    }
    return Math.min(counted, limit)
  }

  /** Runs `work` in the next group; the methods below belong in there. */
  write<T> (work: () => T): Promise<T> {
    return this.storage.write(() => this.within(work))
  }

  /** The same in a group that is being written. */
  within<T> (work: () => T): T {
    // other writes came before this one
    this.description = this.describe()
    return work()
  }

  put (key: Buffer, document: Buffer): void {
    if (!this.exists) this.save([])
    this.changeEntries(key, this.indexes.length === 0 ? undefined : this.get(key), document)
    this.storage.put(this.storage.documents, key, document)
  }

  remove (key: Buffer): void {
    this.changeEntries(key, this.indexes.length === 0 ? undefined : this.get(key), undefined)
    this.storage.remove(this.storage.documents, key)
  }

  /** Removes up to `limit` documents per index that have expired by now; returns how many. */
  removeExpired (nowMs: number, limit: number): number {
    const expired = this.indexes.flatMap(({ expireAfterSeconds }, place) => {
      if (expireAfterSeconds === undefined) return []
      const range = expiredEntries(this.prefix, place, nowMs - expireAfterSeconds * 1000)
      return [...this.storage.entries.getRange({ ...range, limit })]
    })
    for (const { value } of expired) this.remove(value)
    return expired.length
  }

  /** Adds the entries that a document that is stored already has in the indexes that are built by these tokens. */
  index (key: Buffer, document: Buffer, tokens: string[]): void {
    for (const [place, index] of this.indexes.entries()) {
      const entry = tokens.includes(index.token ?? '') ? entryOf(this.prefix, place, index, key, document) : undefined
      if (entry !== undefined) this.storage.put(this.storage.entries, entry, key)
    }
  }

  /** Writes down that the collection exists, with these indexes. An index keeps its place for good, since its entries' keys hold it. */
  save (indexes: Index[]): void {
    this.description = { indexes }
    this.storage.put(this.storage.collections, this.name, Buffer.from(JSON.stringify(this.description)))
  }

  /** Forgets an empty collection. */
  forget (): void {
    this.storage.remove(this.storage.collections, this.name)
  }

  /** Has the entries of a document follow it. What stays as it is costs no write. */
  private changeEntries (key: Buffer, before: Buffer | undefined, after: Buffer | undefined): void {
    for (const [place, index] of this.indexes.entries()) {
      const [old, entry] = [before, after].map(document => document && entryOf(this.prefix, place, index, key, document))
      // one that is not built may lack the old entry
      if (old !== undefined && entry?.equals(old) === true && index.built) continue
      if (old !== undefined) this.storage.remove(this.storage.entries, old)
      if (entry !== undefined) this.storage.put(this.storage.entries, entry, key)
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
