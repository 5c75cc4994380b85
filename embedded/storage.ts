import { statfsSync } from 'node:fs'
import type { Database } from 'lmdb'
import { MongoError } from './errors.js'
import { Gate } from './gate.js'
import { encodings, openFile, recordSize, storePath, upgrade, type Root } from './file.js'
import { afterPrefix } from './keys.js'

type Settle = () => void

interface Write {
  /** Does the work, and returns what tells its result once that is on disk. */
  run (): Settle
  fail (error: unknown): void
}

/**
 * Bytes of the disk that are left alone beside what a group takes: lmdb, where a write fails for want of space, can damage its memory,
 * and the process then ends by SIGABRT at some later read.
 */
const reserve = 1_048_576

/** What a change takes of the disk beside its value, at most: LMDB copies the pages from the root of a tree to the entry, and may split one. */
const changeBytes = 5 * 4096

/** MDB_MAP_FULL, and errno's ENOSPC, EDQUOT, EFBIG and ENOMEM; and EIO, by which LMDB reports a short write, the first sign of a full disk. */
const noSpace: unknown[] = [-30792, 28, 122, 27, 12, 5]

/** Keys and values of one kind, in the order of the keys' bytes. Changed only in the work of a write, by `put` and `remove`, which count it. */
export type Table = Database<Buffer, Buffer>

/**
 * Tables in LMDB. Writes that arrive in one turn of the event loop share one transaction and one sync (group commit);
 * each one's promise settles after that sync. Reads see the last committed state. No read transaction outlives a turn,
 * since a long one would keep LMDB from using freed pages again.
 */
export class Storage {
  private readonly path: string
  private readonly gate: Gate
  private readonly freeBytes: () => number
  readonly root: Root
  /** Documents by namespace and `_id`. */
  readonly documents: Table
  /** The entries of indexes, each with the key of its document. */
  readonly entries: Table
  /** What there is to know of a collection, by namespace. */
  readonly collections: Table
  private queue: Write[] = []
  /** What the group in work takes of the disk, at most. */
  private taken = 0

  private constructor (root: Root, path: string, gate: Gate, freeBytes: (path: string) => number) {
    this.path = path
    this.freeBytes = () => freeBytes(path)
    this.gate = gate
    this.root = root
    this.documents = root.openDB('documents', encodings)
    this.entries = root.openDB('entries', encodings)
    this.collections = root.openDB('collections', encodings)
    upgrade(root, () => this.describeAll())
  }

  static async open (directory: string, gate = new Gate(), freeBytes = freeBytesOf): Promise<Storage> {
    const path = storePath(directory)
    return new Storage(await openFile(path), path, gate, freeBytes)
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

  /** Stores a value in place of the one under that key, if any. Belongs in the work of a write, like `remove`. */
  put (table: Table, key: Buffer, value: Buffer): void {
    this.taken += changeBytes + value.length
    table.putSync(key, value)
  }

  remove (table: Table, key: Buffer): void {
    this.taken += changeBytes
    table.removeSync(key)
  }

  async close (): Promise<void> {
    await this.root.close()
  }

  /** In format 1 a collection was no more than its documents. */
  private describeAll (): void {
    const next = (start?: Buffer): Buffer | undefined => [...this.documents.getKeys({ start, limit: 1 })][0]
    for (let key = next(); key !== undefined;) {
      const namespace = key.subarray(0, key.indexOf(0))
      this.collections.putSync(namespace, Buffer.from('{"indexes":[]}'))
      key = next(afterPrefix(key.subarray(0, namespace.length + 1)))
    }
  }

  private commit (): void {
    // the process is about to end: what waits here is answered no more
    if (!this.gate.enter()) return
    const group = this.queue
    this.queue = []
    this.taken = 0
    try {
      const settlers = this.root.transactionSync(() => {
        recordSize(this.root, this.path)
        const settlers = group.map(write => write.run())
        // thrown in here it undoes the group, of which nothing is on the disk yet
        if (this.taken > 0 && this.freeBytes() < reserve + this.taken) throw new MongoError('OutOfDiskSpace', 'The store could not write: the disk is full')
        return settlers
      })
      for (const settle of settlers) settle()
    } catch (error) {
      for (const write of group) write.fail(storageError(error))
    } finally {
      this.gate.leave()
    }
  }
}

/** What the disk of a file has left for this user, in bytes. */
function freeBytesOf (path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

function storageError (error: unknown): unknown {
  const outOfSpace = error instanceof Error && 'code' in error && noSpace.includes(error.code)
  return outOfSpace ? new MongoError('OutOfDiskSpace', `The store could not write: ${error.message}`) : error
}
