import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs'
import { MongoError } from './errors.js'

/**
 * Bytes of the disk that are left alone beside what a group takes: lmdb, where a write fails for want of space, can damage its memory,
 * and the process then ends by SIGABRT at some later read.
 */
const reserve = 1_048_576

/** The file grows by this much at a time, at least. */
const stepBytes = 65_536
/** What a transaction writes beside its changes: the trees' roots, and the list of free pages, of 8 bytes for each. */
const besidesBytes = 131_072
const freePageBytes = 8

/**
 * Room for what LMDB is about to write. Its file is made longer here before it is written to, so a limit on the file's size, a quota or a full disk
 * is met by a write that may fail.
 */
export class Room {
  constructor (
    private readonly path: string,
    private readonly freeBytes: (path: string) => number = freeBytesOf,
    private readonly platform: NodeJS.Platform = process.platform
  ) {}

  /** Throws OutOfDiskSpace if there is none for a transaction that takes so much, on a file that ends with this page. */
  make (takenBytes: number, lastPage: number, pageBytes: number): void {
    if (this.freeBytes(this.path) < reserve + takenBytes) throw outOfSpace('the disk is full')
    // On Windows LMDB itself keeps the file as long as what it maps.
    if (this.platform === 'win32') return
    const pages = lastPage + 1
    this.lengthen(pages * pageBytes + takenBytes + besidesBytes + freePageBytes * pages)
  }

  private lengthen (neededBytes: number): void {
    const descriptor = openSync(this.path, 'r+')
    try {
      const until = Math.ceil(neededBytes / stepBytes) * stepBytes
      for (let { size } = fstatSync(descriptor); size < neededBytes;) {
        size += writeSync(descriptor, Buffer.alloc(Math.min(until - size, 16 * stepBytes)), 0, undefined, size)
      }
    } catch (error) {
      throw outOfSpace(String(error))
    } finally {
      closeSync(descriptor)
    }
  }
}

export function outOfSpace (reason: string): MongoError {
  return new MongoError('OutOfDiskSpace', `The store could not write: ${reason}`)
}

/** What the disk of a file has left for this user, in bytes. */
function freeBytesOf (path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
