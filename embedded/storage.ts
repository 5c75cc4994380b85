import { join } from 'node:path'
import type { Database } from 'lmdb'
import { MongoError } from './errors.js'
import { Gate } from './gate.js'
import { encodings, openFile, recordSize, type Root } from './file.js'

export interface Range {
  start: Buffer
  end: Buffer
  reverse: boolean
  limit: number
  /** How many bytes of values are enough. */
  bytes: number
}

export interface Entry {
  key: Buffer
  value: Buffer
}

type Settle = () => void

interface Write {
  /** Does the work, and returns what tells its result once that is on disk. */
  run (): Settle
  fail (error: unknown): void
}

/** Keys handled in one go: some milliseconds at most, so that other connections get their turn. */
const countSlice = 10_000
const removeSlice = 1000
/** MDB_MAP_FULL, and errno's ENOSPC, EDQUOT, EFBIG and ENOMEM; and EIO, by which LMDB reports a short write, the first sign of a full disk. */
const noSpace: unknown[] = [-30792, 28, 122, 27, 12, 5]

/**
 * Documents in LMDB. Writes that arrive in one turn of the event loop share one transaction and one sync (group commit);
 * each one's promise settles after that sync. Reads see the last committed state. No read transaction outlives a turn,
 * since a long one would keep LMDB from using freed pages again.
 */
export class Storage {
  private readonly path: string
  private readonly gate: Gate
  readonly root: Root
  private readonly documents: Database<Buffer, Buffer>
  private queue: Write[] = []

  private constructor (root: Root, path: string, gate: Gate) {
    this.path = path
    this.gate = gate
    this.root = root
    this.documents = root.openDB('documents', encodings)
  }

  static async open (directory: string, gate = new Gate()): Promise<Storage> {
    const path = join(directory, 'store.mdb')
    return new Storage(await openFile(path), path, gate)
  }

  get (key: Buffer): Buffer | undefined {
    return this.documents.get(key)
  }

  /** Only in the work of a write, like `remove`. */
  put (key: Buffer, document: Buffer): void {
    this.documents.putSync(key, document)
  }

  remove (key: Buffer): void {
    this.documents.removeSync(key)
  }

  /** The entries strictly between two keys, until there are `limit` of them or enough bytes. */
  read ({ start, end, reverse, limit, bytes }: Range): { entries: Entry[], end: boolean } {
    const bounds = reverse ? { start: end, end: start } : { start, end }
    const entries: Entry[] = []
    for (const entry of this.documents.getRange({ ...bounds, reverse, exclusiveStart: true })) {
      if (entries.length === limit || bytes <= 0) return { entries, end: false }
      entries.push(entry)
      bytes -= entry.value.length
    }
    return { entries, end: true }
  }

  async count (start: Buffer, end: Buffer): Promise<number> {
    const next = (): Buffer | undefined => [...this.documents.getKeys({ start, end, offset: countSlice, limit: 1 })][0]
    let counted = 0
    for (let key = next(); key !== undefined; key = next()) {
      start = key
      counted += countSlice
      await new Promise(setImmediate)
    }
    return counted + this.documents.getKeysCount({ start, end })
  }

  /** Removes the first document of a range, or all of them some at a time; returns how many there were. */
  async removeRange (start: Buffer, end: Buffer, limit = removeSlice): Promise<number> {
    let removed = 0
    let found: number
    do {
      found = await this.write(() => {
        const keys = [...this.documents.getKeys({ start, end, limit })]
        for (const key of keys) this.remove(key)
        return keys.length
      })
      removed += found
    } while (found === removeSlice)
    return removed
  }

  /** Runs `work` in the next group; the promise holds its result once that is on disk. */
  write<T> (work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (): Settle => {
        try {
          const result = work()
          return () => resolve(result)
        } catch (error) {
          // A refused write undoes nothing of its neighbours: it throws before it puts. Anything else ends the group.
          if (error instanceof MongoError) return () => reject(error)
          throw error
        }
      }
      this.queue.push({ run, fail: reject })
      if (this.queue.length === 1) setImmediate(() => this.commit())
    })
  }

  async close (): Promise<void> {
    await this.root.close()
  }

  private commit (): void {
    // the process is about to end: what waits here is answered no more
    if (!this.gate.enter()) return
    const group = this.queue
    this.queue = []
    try {
      const settlers = this.root.transactionSync(() => {
        recordSize(this.root, this.path)
        return group.map(write => write.run())
      })
      for (const settle of settlers) settle()
    } catch (error) {
      for (const write of group) write.fail(storageError(error))
    } finally {
      this.gate.leave()
    }
  }
}

function storageError (error: unknown): unknown {
  const outOfSpace = error instanceof Error && 'code' in error && noSpace.includes(error.code)
  return outOfSpace ? new MongoError('OutOfDiskSpace', `The store could not write: ${error.message}`) : error
}
