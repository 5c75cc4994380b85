import { createHash } from 'node:crypto'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { KeyReusedError } from '../http/errors.js'
import type { HeldKey } from '../idempotency/keys.js'
import { patiently } from '../mongodb/patience.js'
import { FileError, type Row } from './row.js'

/** Rows that are stored at a time. */
const BATCH = 1_000

/** Batches that are being stored, while the next one is read: a store that writes several of them to disk together is faster. */
const MAX_UNDER_WAY = 4

/** After so many rows other requests have their turn. */
const TURN = 50

/** The most faults that are told; all are counted. */
const MAX_FAULTS = 1_000

/** A fault of a file, or of one of its rows. */
export interface ImportFault {
  line: number
  row?: number
  /** A JSON Pointer into the row. */
  pointer?: string
  detail: string
}

export interface ImportSummary {
  /** Rows that were read. */
  rows: number
  /** Records that are stored. */
  created: number
  /** Rows that were refused. */
  failed: number
  faults: ImportFault[]
}

/** A valid row. */
export interface ValidRow {
  line: number
  row: number
  value: unknown
}

/** How far an import has come, as its key keeps it. */
interface Mark {
  rows: number
  created: number
  /** A hash of those rows. */
  digest: string
  /** What the database refused of them, and how many rows that were. */
  refused: number
  faults: ImportFault[]
}

export interface ImportOptions {
  rows: AsyncIterable<Row>
  /** The faults of a row's value; none for a valid one. */
  check: (value: unknown) => { pointer?: string, detail: string }[]
  /** Stores valid rows; answers the error of each, or undefined. What it stores twice counts once. */
  create: (rows: readonly ValidRow[]) => Promise<(Error | undefined)[]>
  /** Whether the first fault ends it. */
  stops: boolean
  /** Whether nothing is stored. */
  isDry: boolean
  /** The key of the request, which keeps how far it has come. */
  held?: HeldKey | undefined
  /** Aborted once nobody waits any more. */
  signal: AbortSignal
}

/** Ended at a fault, as it was asked to, or at one that nothing can follow. */
export class ImportStoppedError extends Error {
  override name = 'ImportStoppedError'
  readonly statusCode = 422

  constructor (line: number) {
    super(`The import ended at line ${line}.`)
  }
}

/** Takes the rows of a file into a store, in batches and as fast as the store takes them, with no more of it in memory. */
export class Importer {
  readonly summary: ImportSummary = { rows: 0, created: 0, failed: 0, faults: [] }
  #options: ImportOptions
  #hash = createHash('sha256')
  #resumed: Mark | undefined
  /** What the database refused. */
  #refused: Pick<Mark, 'refused' | 'faults'> = { refused: 0, faults: [] }
  #underWay: Promise<void>[] = []
  #batch: ValidRow[] = []

  constructor (options: ImportOptions) {
    this.#options = options
    this.#resumed = options.held?.progress as Mark | undefined // as it was saved here
    if (!this.#resumed) return
    const { created, refused, faults } = this.#resumed
    this.summary.created = created
    this.summary.failed = refused
    this.summary.faults.push(...faults)
    this.#refused = { refused, faults: [...faults] }
  }

  /** A hash of the rows that were read. */
  get digest (): string {
    return this.#hash.copy().digest('base64url')
  }

  /** Throws ImportStoppedError, StoreUnavailableError, StoreFullError, and KeyReusedError where the rows are not those of the key. */
  async run (): Promise<ImportSummary> {
    try {
      return await this.#run()
    } finally {
      // what it notes once it is stored would keep the key from the next try, to which the caller leaves it now
      await Promise.allSettled(this.#underWay)
    }
  }

  async #run (): Promise<ImportSummary> {
    try {
      for await (const row of this.#options.rows) await this.#take(row)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      return this.#stop({ line: error.line, detail: error.message })
    }
    if (this.summary.rows < (this.#resumed?.rows ?? 0)) throw new KeyReusedError()
    await this.#finish()
    this.summary.faults.sort((a, b) => a.line - b.line)
    return this.summary
  }

  async #take (row: Row): Promise<void> {
    const faults = faultsOf(row, this.#options.check)
    if (faults.length > 0 && this.#options.stops) await this.#stop(...faults)
    this.#hash.update(row.text).update('\n')
    this.summary.rows++
    if (faults.length > 0) {
      this.summary.failed++
      this.#tell(faults)
    } else if (row.row > (this.#resumed?.rows ?? 0)) this.#batch.push(row as ValidRow) // without a fault it has a value
    if (row.row === this.#resumed?.rows && this.digest !== this.#resumed.digest) throw new KeyReusedError()
    if (row.row % TURN === 0) await endOfTurn()
    if (row.row % BATCH === 0) await this.#send()
  }

  /** What is valid before the fault is stored, as it would be without the rest. */
  async #stop (...faults: ImportFault[]): Promise<never> {
    await this.#finish()
    const [{ line, row }] = faults as [ImportFault] // there is one
    if (row !== undefined) {
      this.summary.rows++
      this.summary.failed++
    }
    this.#tell(faults)
    throw new ImportStoppedError(line)
  }

  #tell (faults: readonly ImportFault[]): void {
    this.summary.faults.push(...faults.slice(0, Math.max(0, MAX_FAULTS - this.summary.faults.length)))
  }

  async #finish (): Promise<void> {
    await this.#send()
    while (this.#underWay.length > 0) await this.#underWay.shift()
  }

  async #send (): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    if (batch.length === 0 || this.#options.isDry) {
      if (this.#options.isDry) this.summary.created += batch.length
      return
    }
    if (this.#underWay.length === MAX_UNDER_WAY) await this.#underWay.shift()
    const mark = { rows: this.summary.rows, digest: this.digest }
    const stored = this.#store(batch, this.#underWay.at(-1), mark)
    stored.catch(() => {}) // who waits for it is told
    this.#underWay.push(stored)
  }

  async #store (batch: readonly ValidRow[], before: Promise<void> | undefined, mark: Pick<Mark, 'rows' | 'digest'>): Promise<void> {
    const errors = await patiently(async () => this.#create(batch), this.#options.signal)
    // marks go in the order of the rows
    await before
    const faults = batch.flatMap(({ line, row }, index) => errors[index] ? [{ line, row, detail: errors[index].message }] : [])
    this.summary.created += batch.length - faults.length
    this.summary.failed += faults.length
    this.#tell(faults)
    this.#refused.refused += faults.length
    this.#refused.faults.push(...faults.slice(0, MAX_FAULTS - this.#refused.faults.length))
    if (faults.length > 0 && this.#options.stops) throw new ImportStoppedError(Number(faults[0]?.line))
    await this.#save({ ...mark, created: this.summary.created, ...this.#refused })
  }

  /** Notes what is stored, also when nobody waits any more: the next try begins there. */
  async #save (mark: Mark): Promise<void> {
    const { held, signal } = this.#options
    if (!held) return
    const save = async () => held.save({ ...mark })
    await (signal.aborted ? save() : patiently(save, signal))
  }

  /** Throws what reaches all, or what may be otherwise the next time. */
  async #create (batch: readonly ValidRow[]): Promise<(Error | undefined)[]> {
    const errors = await this.#options.create(batch)
    const passing = errors.find((error) => error && !isRefusal(error))
    if (passing) throw passing
    return errors
  }
}

/** Whether it is the record that is at fault. */
function isRefusal (error: Error & { statusCode?: number }): boolean {
  return error.statusCode !== undefined && error.statusCode < 500
}

function faultsOf ({ line, row, value, fault }: Row, check: ImportOptions['check']): ImportFault[] {
  if (fault !== undefined) return [{ line, row, detail: fault }]
  return check(value).map((each) => ({ line, row, ...each }))
}
