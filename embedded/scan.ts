import { conjuncts, matches, type Selection } from './filter.js'
import type { Collection } from './collection.js'
import { cutKeyBytes } from './keys.js'
import { mainPath, type Path } from './plan.js'
import type { Project } from './projection.js'
import type { Range } from './ranges.js'
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
  /** Where to look; by default in the main table, in `_id` order. */
  path?: Path
}

/** A document on the way, and the key by which it was met. */
export interface Met extends Entry {
  at: Buffer
}

/** A walk over the selected documents of a collection, in the order of the keys of its path. It remembers a key and holds no transaction between batches. */
export class Scan implements Batches {
  private readonly path: Path
  private readonly reverse: boolean
  private readonly project: Project
  private readonly hasConditions: boolean
  private remaining: number
  private skip: number
  /** Still to walk, in the order of the walk; of the first, what is behind the position. */
  private readonly ranges: Range[]
  private position: Buffer | undefined
  /** Read already, to be put in order. */
  private readonly ready: Met[] = []

  constructor (private readonly collection: Collection, private readonly selection: Selection, options: ScanOptions = {}) {
    const { limit = Infinity, skip = 0, reverse = false, project = document => document, path = mainPath(collection, selection.filter) } = options
    this.path = path
    this.reverse = reverse
    this.project = project
    // an _id that a range names is not compared again
    this.hasConditions = conjuncts(selection.filter).length > 0 && !(path.table === 'documents' && path.isExact)
    this.remaining = limit
    this.skip = skip
    this.ranges = reverse ? path.ranges.toReversed() : [...path.ranges]
  }

  get done (): boolean {
    return this.remaining === 0 || (this.ranges.length === 0 && this.ready.length === 0)
  }

  get heldBytes (): number {
    return this.ready.reduce((sum, { value }) => sum + value.length, 0)
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
    const wanted = Math.min(length, this.remaining)
    const found: Entry[] = []
    let bytes = Math.min(enoughBytes, sliceBytes)
    let looked = 0
    for (const met of this.walk()) {
      // after a look at the next one, so that the end is known when it is reached
      if (found.length === wanted || bytes <= 0) break
      this.pass(met)
      looked++
      bytes -= met.value.length
      if (!this.hasConditions || matches(met.value, this.selection.filter)) this.take(met, found)
      if (found.length === this.remaining || looked === sliceLength) break
    }
    this.remaining -= found.length
    return found
  }

  private take (met: Met, found: Entry[]): void {
    if (this.skip > 0) this.skip--
    else found.push(met)
  }

  private pass (met: Met): void {
    if (this.ready[0] === met) this.ready.shift()
    else this.position = met.at
  }

  private * walk (): Generator<Met> {
    while (this.ready[0] !== undefined) yield this.ready[0]
    for (let [range] = this.ranges; range !== undefined; [range] = this.ranges) {
      yield * this.path.table === 'entries' && this.path.isInOrder ? this.inFullOrder(this.read(range)) : this.read(range)
      this.ranges.shift()
      this.position = undefined
    }
  }

  private read (range: Range): Iterable<Met> {
    return this.collection.walk(this.path.table, { range, reverse: this.reverse, behind: this.position })
  }

  /** Long keys are cut: of those that begin alike, the documents say the order. */
  private * inFullOrder (all: Iterable<Met>): Generator<Met> {
    let alike: Met[] = []
    for (const met of all) {
      const [first] = alike
      if (first !== undefined && !beginAlike(first.at, met.at)) {
        yield * this.sorted(alike)
        alike = []
      }
      if (met.at.length < cutKeyBytes) yield met
      else alike.push(met)
    }
    yield * this.sorted(alike)
  }

  private * sorted (alike: Met[]): Generator<Met> {
    this.position = alike.at(-1)?.at ?? this.position
    this.ready.push(...this.collection.inFullOrder(this.path.field, alike, this.reverse))
    while (this.ready[0] !== undefined) yield this.ready[0]
  }
}

function beginAlike (one: Buffer, other: Buffer): boolean {
  return one.subarray(0, cutKeyBytes).equals(other.subarray(0, cutKeyBytes))
}
