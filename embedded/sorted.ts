import { MongoError } from './errors.js'
import { Heap } from './heap.js'
import type { Project } from './projection.js'
import { batchBytes, type Batches, type Scan } from './scan.js'
import { inOrder, keysOf, type SortKey } from './sort.js'

/** MongoDB's limit for a sort without disk (reference/limits, "Sort Operations"). */
const defaultLimitBytes = 100 * 1024 * 1024
/** Documents put in order before other connections get their turn. */
const sliceLength = 1000
/** What one of them takes beside its bytes, about. */
const besidesBytes = 400

export interface SortOptions {
  sort: SortKey[]
  skip: number
  limit: number
  project?: Project | undefined
  limitBytes?: number | undefined
}

interface Kept {
  keys: Buffer[]
  /** Where it came: what has equal keys stays in the order of the scan. */
  place: number
  document: Buffer
  bytes: number
}

/** Documents in an order that no index has: all of a scan are looked at, and as many are kept in memory as are asked for. */
export class Sorted implements Batches {
  private readonly heap: Heap<Kept>
  private readonly wanted: number
  private readonly limitBytes: number
  private place = 0
  private bytes = 0
  /** What is in order, the last one first; nothing before all is read. */
  private ready: Buffer[] | undefined

  constructor (private readonly scan: Scan, private readonly options: SortOptions) {
    const compare = inOrder(options.sort)
    this.heap = new Heap((a, b) => compare(a.keys, b.keys) || a.place - b.place)
    this.wanted = options.skip + options.limit
    this.limitBytes = options.limitBytes ?? defaultLimitBytes
  }

  get done (): boolean {
    return this.ready?.length === 0
  }

  get heldBytes (): number {
    return this.bytes
  }

  async batch (length: number): Promise<Buffer[]> {
    this.ready ??= await this.inOrder()
    const documents: Buffer[] = []
    for (let bytes = 0; documents.length < length && bytes < batchBytes;) {
      const document = this.ready.pop()
      if (document === undefined) break
      documents.push(document)
      bytes += document.length
      this.bytes -= document.length + besidesBytes
    }
    return documents
  }

  private async inOrder (): Promise<Buffer[]> {
    while (!this.scan.done) {
      for (const { value } of this.scan.slice()) this.consider(value)
      await new Promise(setImmediate)
    }
    const documents: Buffer[] = []
    for (const wanted = this.heap.size - this.options.skip; documents.length < wanted;) {
      for (let taken = 0; taken < sliceLength && documents.length < wanted; taken++) documents.push(this.takeLast())
      await new Promise(setImmediate)
    }
    this.bytes = documents.reduce((sum, { length }) => sum + length + besidesBytes, 0)
    return documents
  }

  private consider (document: Buffer): void {
    const kept = { keys: keysOf(document, this.options.sort), place: this.place++, document, bytes: 0 }
    if (this.heap.last !== undefined && this.heap.size === this.wanted) {
      if (this.heap.compare(kept, this.heap.last) >= 0) return
      this.takeLast()
    }
    const projected = this.options.project?.(document) ?? document
    // of its own, since a view keeps what it is one of
    kept.document = Buffer.allocUnsafeSlow(projected.length)
    kept.document.set(projected)
    kept.bytes = kept.keys.reduce((sum, { length }) => sum + length, projected.length + besidesBytes)
    this.heap.push(kept)
    this.bytes += kept.bytes
    if (this.bytes > this.limitBytes) {
      throw new MongoError('QueryExceededMemoryLimitNoDiskUseAllowed', `Sort exceeded memory limit of ${this.limitBytes} bytes`)
    }
  }

  private takeLast (): Buffer {
    const { document, bytes } = this.heap.pop()
    this.bytes -= bytes
    return document
  }
}
