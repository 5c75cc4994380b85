import { checksumFormat, formatVersion, sizeKey } from './inspect.js'
import { MongoError } from './errors.js'
import { Gate } from './gate.js'
import { encodings, openFile, storePath, writeFormat, type Root } from './file.js'
import { afterPrefix } from './keys.js'
import { outOfSpace, Room } from './room.js'
import { Table } from './table.js'

type Settle = () => void

interface Write {
  /** Does the work, and returns what tells its result once that is on disk. */
  run (): Settle
  fail (error: unknown): void
}

/** What a change takes of the disk beside its value, at most: LMDB copies the pages from the root of a tree to the entry, and may split one. */
const changeBytes = 5 * 4096

/** MDB_MAP_FULL, and errno's ENOSPC, EDQUOT, EFBIG and ENOMEM. */
const noSpace: unknown[] = [-30792, 28, 122, 27, 12]
/** EIO: by this LMDB reports a short write, the first sign of a full disk; it may also be a broken disk. */
const inputOutput = 5
/** Of many damaged values only some are told at the start, and only so many at all. */
const toldAtStart = 10
const maxTold = 1000

/**
 * Tables in LMDB. Writes that arrive in one turn of the event loop share one transaction and one sync (group commit);
 * each one's promise settles after that sync. Reads see the last committed state. No read transaction outlives a turn,
 * since a long one would keep LMDB from using freed pages again.
 */
export class Storage {
  private readonly gate: Gate
  private readonly room: Room
  readonly root: Root
  /** Documents by namespace and `_id`. */
  readonly documents: Table
  /** The entries of indexes, each with the key of its document. */
  readonly entries: Table
  /** What there is to know of a collection, by namespace. */
  readonly collections: Table
  /** How many documents were read so far: what shows that an index is used. */
  documentsRead = 0
  private queue: Write[] = []
  /** What the group in work takes of the disk, at most. */
  private taken = 0
  /** Why LMDB could not write, once that happened. */
  private failure: unknown

  private constructor (root: Root, gate: Gate, room: Room, tell: (what: string) => void) {
    this.gate = gate
    this.room = room
    this.root = root
    this.documents = new Table(root.openDB('documents', encodings), 'documents', tell)
    this.entries = new Table(root.openDB('entries', encodings), 'entries', tell)
    this.collections = new Table(root.openDB('collections', encodings), 'collections', tell)
  }

  static async open (directory: string, gate = new Gate(), freeBytes?: (path: string) => number): Promise<Storage> {
    const path = storePath(directory)
    const { root, inspection: { format, damaged } } = await openFile(path)
    const tell = teller(path)
    const storage = new Storage(root, gate, new Room(path, freeBytes), tell)
    try {
      if (format < formatVersion) storage.upgrade(format)
      for (const what of damaged.slice(0, toldAtStart)) tell(what)
      return storage
    } catch (error) {
      await storage.close()
      throw error
    }
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

  /** Brings a store of an older format up to this one, in one transaction. */
  private upgrade (format: number): void {
    const { lastPageNumber, pageSize } = this.root.getStats() as { lastPageNumber: number, pageSize: number }
    const isRewritten = format < checksumFormat
    this.room.make(isRewritten ? lastPageNumber * pageSize : changeBytes, lastPageNumber, pageSize)
    this.root.transactionSync(() => {
      if (isRewritten) for (const table of [this.documents, this.entries, this.collections]) table.addChecksums()
      if (format === 1) this.describeAll()
      this.root.removeSync(sizeKey)
      writeFormat(this.root)
    })
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
      for (const settle of this.commitAll(group)) settle()
    } catch (error) {
      for (const write of group) write.fail(error)
    } finally {
      this.gate.leave()
    }
  }

  /** One transaction. A write that LMDB itself fails at is the last: it can leave its memory damaged, which another write would end the process by. */
  private commitAll (group: Write[]): Settle[] {
    if (this.failure !== undefined) throw this.failure
    try {
      return this.root.transactionSync(() => {
        const settlers = group.map(write => write.run())
        // thrown in here it undoes the group, of which nothing is on the disk yet
        if (this.taken > 0) this.makeRoom()
        return settlers
      })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (noSpace.includes(code) || code === inputOutput) throw this.failed(error)
      throw error
    }
  }

  private failed (error: unknown): unknown {
    const isFull = noSpace.includes((error as { code?: unknown }).code) || !this.hasRoom()
    this.failure = isFull ? outOfSpace(`${String(error)}. It writes again after a new start`) : error
    process.emitWarning(`The embedded store failed to write and only reads until it is started anew: ${String(error)}`)
    return this.failure
  }

  private hasRoom (): boolean {
    try {
      this.makeRoom()
      return true
    } catch {
      return false
    }
  }

  private makeRoom (): void {
    const { lastPageNumber, pageSize } = this.root.getStats() as { lastPageNumber: number, pageSize: number }
    this.room.make(this.taken, lastPageNumber, pageSize)
  }
}

/** Warns of each damaged value, once: a client's error goes to a log that shows no ids. */
function teller (path: string): (what: string) => void {
  const told = new Set<string>()
  return what => {
    if (told.has(what) || told.size === maxTold) return
    told.add(what)
    process.emitWarning(`The embedded store has damaged data, ${what}: restore ${path} from a backup`)
  }
}
