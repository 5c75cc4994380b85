import { accessSync, chmodSync, chownSync, closeSync, constants, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { withChecksum } from './checksum.js'
import { formatKey, formatVersion, inspect, type Inspection } from './inspect.js'

export type Root = RootDatabase<Buffer, Buffer>

/**
 * Values are bytes as they are. lmdb's own encoding for that gives each one memory of its own, which costs a walk over many documents
 * half of its time; small ones share it here. What lmdb reads into has room for more than the value: only its `length` is told rightly.
 */
const plain = {
  encode: (value: Buffer) => value,
  decode: (read: Buffer): Buffer => {
    const value = Buffer.allocUnsafe(read.length)
    value.set(new Uint8Array(read.buffer, read.byteOffset, read.length))
    return value
  }
}

export const encodings = { encoder: plain, keyEncoding: 'binary' } as const

/** What a new store takes of the disk, at most. */
const neededBytes = 1_048_576
/** As LMDB makes it for 126 readers, and some more. */
const lockBytes = 12_288

/** The file of a store, in its directory. */
export function storePath (directory: string): string {
  return join(directory, 'store.mdb')
}

/** Opens the store's file to be read, beside a process that may write it. It has to be a sound one. */
export function openCopy (path: string): Root {
  prepareLock(path)
  return openLmdb(path, true)
}

/** Opens the store's file, which is made when it is missing. A damaged one is refused by name, never made anew. */
export async function openFile (path: string): Promise<{ root: Root, inspection: Inspection }> {
  if (!existsSync(path)) await create(path)
  accessSync(path, constants.R_OK | constants.W_OK)
  const inspection = inspect(path)
  prepareLock(path)
  return { root: openLmdb(path), inspection }
}

/** Writes the number of this format, in the transaction under way. */
export function writeFormat (root: Root): void {
  const number = Buffer.alloc(8)
  number.writeDoubleLE(formatVersion)
  root.putSync(formatKey, withChecksum(formatKey, number))
}

/** A new store gets its name only when it is whole, so a crash in between leaves no half one behind. */
async function create (path: string): Promise<void> {
  const draft = `${path}.new`
  removeDraft(draft)
  checkRoom(draft)
  prepareLock(draft)
  const root = openLmdb(draft)
  root.transactionSync(() => writeFormat(root))
  await root.close()
  chmodSync(draft, 0o600)
  renameSync(draft, path)
  removeDraft(draft)
  syncDirectory(dirname(path))
}

/** LMDB ends the process where it has no room to make a file. */
function checkRoom (draft: string): void {
  try {
    writeFileSync(draft, Buffer.alloc(neededBytes), { mode: 0o600 })
  } catch (cause) {
    throw new Error(`The embedded store needs ${neededBytes} bytes in ${dirname(draft)}: ${String(cause)}`, { cause })
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * Sees to it that LMDB can use its lock file, since it ends the process where it can't. The file has its bytes on the disk from the start: LMDB
 * would only reserve them, and a full disk would be found out when it writes to its memory.
 */
function prepareLock (path: string): void {
  const lockPath = `${path}-lock`
  const found = statSync(lockPath, { throwIfNoEntry: false })
  if (found?.isFile() === false) throw new Error(`${lockPath} has to be a file: remove what is there`)
  if (found === undefined || found.size === 0) makeLock(lockPath, statSync(path, { throwIfNoEntry: false }))
  // Another process may be using it: nothing of it is touched, nor is it opened, since LMDB's own locks on it would go when it is closed.
  else accessSync(lockPath, constants.R_OK | constants.W_OK)
}

/** For the store's owner, also where root makes the first backup. */
function makeLock (lockPath: string, store?: Stats): void {
  writeFileSync(lockPath, Buffer.alloc(lockBytes), { mode: 0o600 })
  if (store !== undefined && process.getuid?.() === 0) chownSync(lockPath, store.uid, store.gid)
}

function removeDraft (draft: string): void {
  for (const file of [draft, `${draft}-lock`]) rmSync(file, { force: true })
}

function openLmdb (path: string, readOnly = false): Root {
  // lmdb's default (overlappingSync) resolves a write before it is on disk.
  return open<Buffer, Buffer>({ path, noSubdir: true, overlappingSync: false, readOnly, ...encodings })
}

/** Makes the new name itself survive a power cut. */
function syncDirectory (directory: string): void {
  /* c8 ignore next: Windows only, which opens no directories */
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
