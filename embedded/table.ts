import type { Database, RangeOptions } from 'lmdb'
import { checksumBytes, isWhole, withChecksum } from './checksum.js'
import { DamagedValue } from './damage.js'
import { shownKey } from './keys.js'

export interface Entry {
  key: Buffer
  value: Buffer
}

export const tableNames = ['documents', 'entries', 'collections'] as const
export type TableName = typeof tableNames[number]

/** Values taken to memory at a time. */
const sliceLength = 100

const kinds = { documents: 'the document', entries: 'the index entry', collections: 'the description of the collection' }

/**
 * Keys and values of one kind, in the order of the keys' bytes. Each value is stored with a checksum, and one that it does not fit is a DamagedValue
 * for whoever reads it. The methods are named as lmdb's are.
 */
export class Table {
  private readonly database: Database<Buffer, Buffer>
  private readonly name: TableName
  private readonly tell: (what: string) => void

  /** `tell` gets each damaged value in words when it is read. */
  constructor (database: Database<Buffer, Buffer>, name: TableName, tell: (what: string) => void) {
    this.database = database
    this.name = name
    this.tell = tell
  }

  get (key: Buffer): Buffer | undefined {
    const stored = this.database.get(key)
    return stored === undefined ? undefined : this.checked(key, stored)
  }

  * getRange (range: RangeOptions = {}): Generator<Entry> {
    for (const { key, value } of this.database.getRange(range)) {
      // The type says any key; the encoding makes them bytes.
      const bytes = key as Buffer
      yield { key: bytes, value: this.checked(bytes, value) }
    }
  }

  getKeys (range: RangeOptions = {}): Iterable<Buffer> {
    return this.database.getKeys(range) as Iterable<Buffer>
  }

  getKeysCount (range: RangeOptions = {}): number {
    return this.database.getKeysCount(range)
  }

  putSync (key: Buffer, value: Buffer): void {
    this.database.putSync(key, withChecksum(key, value))
  }

  removeSync (key: Buffer): void {
    this.database.removeSync(key)
  }

  /** Gives each value its checksum, in the transaction under way: in older formats they had none. */
  addChecksums (): void {
    const next = (start?: Buffer) => [...this.database.getRange({ start, exclusiveStart: start !== undefined, limit: sliceLength })]
    for (let slice = next(); slice.length > 0; slice = next(slice.at(-1)?.key as Buffer)) {
      for (const { key, value } of slice) this.putSync(key as Buffer, value)
    }
  }

  /** Tells that what stands under a key is damaged, and throws. */
  refuse (key: Buffer): never {
    const what = shownEntry(this.name, key)
    this.tell(what)
    throw new DamagedValue(what)
  }

  private checked (key: Buffer, stored: Buffer): Buffer {
    if (!isWhole(key, stored)) this.refuse(key)
    return stored.subarray(0, stored.length - checksumBytes)
  }
}

/** What a key of a table stands for, in words. */
export function shownEntry (table: TableName, key: Buffer): string {
  return `${kinds[table]} ${shownKey(key)}`
}
