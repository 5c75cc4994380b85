import type { Selection } from './filter.js'
import { afterPrefix, collectionPrefix, documentKey } from './keys.js'
import type { Entry, Storage } from './storage.js'

/** A reply's documents end with the one that goes over this, so no reply is larger than a message may be. */
const batchBytes = 16 * 1024 * 1024
/** Documents read before other connections get their turn. */
const sliceLength = 500

export interface ScanOptions {
  limit?: number
  reverse?: boolean
}

/** A walk over the selected documents of a collection in `_id` order. It remembers a key and holds no transaction between batches. */
export class Scan {
  private readonly storage: Storage
  private readonly reverse: boolean
  private remaining: number
  /** The keys still to look up, or the range still to read. */
  private keys: Buffer[] | undefined
  private start: Buffer
  private end: Buffer
  private exhausted = false

  constructor (storage: Storage, namespace: string, selection: Selection, { limit = Infinity, reverse = false }: ScanOptions = {}) {
    const prefix = collectionPrefix(namespace)
    this.storage = storage
    this.reverse = reverse
    this.remaining = limit
    this.keys = selection === 'all' ? undefined : distinctKeys(prefix, selection, reverse)
    this.start = prefix
    this.end = afterPrefix(prefix)
  }

  get done (): boolean {
    return this.exhausted || this.remaining === 0
  }

  async batch (length: number): Promise<Buffer[]> {
    const documents: Buffer[] = []
    for (let bytes = 0; documents.length < length && bytes < batchBytes && !this.done;) {
      if (documents.length > 0) await new Promise(setImmediate)
      const slice = this.slice(Math.min(length - documents.length, sliceLength, this.remaining), batchBytes - bytes)
      this.remaining -= slice.length
      for (const { value } of slice) {
        documents.push(value)
        bytes += value.length
      }
    }
    return documents
  }

  private slice (limit: number, bytes: number): Entry[] {
    if (this.keys !== undefined) return this.lookUp(this.keys, limit, bytes)
    const { entries, end } = this.storage.read({ start: this.start, end: this.end, reverse: this.reverse, limit, bytes })
    const last = entries.at(-1)?.key
    if (end) this.exhausted = true
    else if (last !== undefined && this.reverse) this.end = last
    else if (last !== undefined) this.start = last
    return entries
  }

  private lookUp (keys: Buffer[], limit: number, bytes: number): Entry[] {
    const entries: Entry[] = []
    let tried = 0
    for (const key of keys) {
      if (entries.length === limit || bytes <= 0) break
      const value = this.storage.get(key)
      tried++
      if (value === undefined) continue
      entries.push({ key, value })
      bytes -= value.length
    }
    this.keys = keys.slice(tried)
    this.exhausted = this.keys.length === 0
    return entries
  }
}

export function distinctKeys (prefix: Buffer, ids: Exclude<Selection, 'all'>, reverse = false): Buffer[] {
  const keys = ids.map(id => documentKey(prefix, id)).sort(Buffer.compare)
  const distinct = keys.filter((key, index) => !keys[index - 1]?.equals(key))
  return reverse ? distinct.reverse() : distinct
}
