import type { Field } from './bson.js'
import type { Collection } from './collection.js'
import { conjuncts, matches, type Selection } from './filter.js'
import { documentKey } from './keys.js'
import type { Project } from './projection.js'
import type { Entry } from './table.js'

/** A reply's documents end with the one that goes over this, so no reply is larger than a message may be. */
export const batchBytes = 16 * 1024 * 1024
/** Documents, and their bytes, handled before other connections get their turn: a few milliseconds. */
const sliceLength = 1000
const sliceBytes = 1024 * 1024

/** What a cursor takes its batches from. */
export interface Batches {
  readonly done: boolean
  /** What it keeps in memory between two of them. */
  readonly heldBytes: number
  batch (length: number): Promise<Buffer[]>
}

export interface ScanOptions {
  limit?: number
  /** So many that are selected come before those that are wanted. */
  skip?: number
  reverse?: boolean
  /** What batches hold of each document; all of it without one. */
  project?: Project | undefined
}

/** A walk over the selected documents of a collection in `_id` order. It remembers a key and holds no transaction between batches. */
export class Scan implements Batches {
  readonly heldBytes = 0
  private readonly collection: Collection
  private readonly selection: Selection
  private readonly reverse: boolean
  private readonly project: Project
  private remaining: number
  private skip: number
  /** The keys still to look up, or the range still to read. */
  private keys: Buffer[] | undefined
  private start: Buffer
  private end: Buffer
  private exhausted = false

  constructor (collection: Collection, selection: Selection, { limit = Infinity, skip = 0, reverse = false, project = document => document }: ScanOptions = {}) {
    this.collection = collection
    this.selection = selection
    this.reverse = reverse
    this.project = project
    this.remaining = limit
    this.skip = skip
    this.keys = selection.ids && distinctKeys(collection.prefix, selection.ids, reverse)
    this.start = collection.prefix
    this.end = collection.end
  }

  get done (): boolean {
    return this.exhausted || this.remaining === 0
  }

  async batch (length: number): Promise<Buffer[]> {
    const documents: Buffer[] = []
    for (let bytes = 0; documents.length < length && bytes < batchBytes && !this.done;) {
      for (const { value } of this.slice(length - documents.length, batchBytes - bytes)) {
        const document = this.project(value)
        documents.push(document)
        bytes += document.length
      }
      if (!this.done && documents.length < length) await new Promise(setImmediate)
    }
    return documents
  }

  /** The next documents: at most `length`, and as many as are handled in one turn. None of them does not mean that there are no more. */
  slice (length = sliceLength, enoughBytes = sliceBytes): Entry[] {
    const wanted = Math.min(Math.min(length, this.remaining) + this.skip, sliceLength)
    const bytes = Math.min(enoughBytes, sliceBytes)
    const found = this.keys === undefined ? this.readOn(wanted, bytes) : this.lookUp(this.keys, wanted, bytes)
    const skipped = found.splice(0, this.skip)
    this.skip -= skipped.length
    this.remaining -= found.length
    return found
  }

  private readOn (wanted: number, bytes: number): Entry[] {
    const limit = conjuncts(this.selection.filter).length === 0 ? wanted : sliceLength
    const { entries, end } = this.collection.read({ start: this.start, end: this.end, reverse: this.reverse, limit, bytes })
    const found = entries.filter(({ value }) => this.matches(value)).slice(0, wanted)
    const last = found.length === wanted ? found.at(-1) : entries.at(-1)
    this.exhausted = end && last === entries.at(-1)
    if (last !== undefined && this.reverse) this.end = last.key
    else if (last !== undefined) this.start = last.key
    return found
  }

  private lookUp (keys: Buffer[], wanted: number, bytes: number): Entry[] {
    const found: Entry[] = []
    let tried = 0
    for (const key of keys.slice(0, sliceLength)) {
      if (found.length === wanted || bytes <= 0) break
      const value = this.collection.get(key)
      tried++
      if (value === undefined || !this.matches(value)) continue
      found.push({ key, value })
      bytes -= value.length
    }
    this.keys = keys.slice(tried)
    this.exhausted = this.keys.length === 0
    return found
  }

  private matches (document: Buffer): boolean {
    return matches(document, this.selection.filter)
  }
}

function distinctKeys (prefix: Buffer, ids: Field[], reverse: boolean): Buffer[] {
  const keys = ids.map(id => documentKey(prefix, id)).sort(Buffer.compare)
  const distinct = keys.filter((key, index) => !keys[index - 1]?.equals(key))
  return reverse ? distinct.reverse() : distinct
}
