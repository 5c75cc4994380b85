import { chmodSync, closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'

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

/** 2 since there are indexes: a program that knows none would write documents without their entries. */
const formatVersion = 2
const formatKey = Buffer.from('format')
const sizeKey = Buffer.from('size')

/** The file of a store, in its directory. */
export function storePath (directory: string): string {
  return join(directory, 'store.mdb')
}

/** Opens the store's file to be read, beside a process that may write it. */
export function openCopy (path: string): Root {
  checkPages(path)
  const root = openLmdb(path, true)
  checkFormat(root, path)
  return root
}

/** Opens the store's file, which is made when it is missing. A damaged one is refused by name, never made anew. */
export async function openFile (path: string): Promise<Root> {
  if (!existsSync(path)) await create(path)
  const whole = checkPages(path)
  const root = openLmdb(path)
  try {
    checkFormat(root, path)
    if (!whole) checkSize(root, path)
    return root
  } catch (error) {
    await root.close()
    throw error
  }
}

/**
 * Writes down, in the transaction under way, how long the file was before it. LMDB's own header can't tell a file that was cut short:
 * it counts pages that were freed before they were ever written.
 */
export function recordSize (root: Root, path: string): void {
  const { size } = statSync(path)
  if (readNumber(root, sizeKey) !== size) root.putSync(sizeKey, numberBytes(size))
}

/** Runs `work` on a file of an older format, whose number is then this one's; both happen, or none. */
export function upgrade (root: Root, work: () => void): void {
  if (readNumber(root, formatKey) === formatVersion) return
  root.transactionSync(() => {
    work()
    root.putSync(formatKey, numberBytes(formatVersion))
  })
}

function checkFormat (root: Root, path: string): void {
  const format = readNumber(root, formatKey)
  if (format === undefined) throw new Error(`${path} is not a store of this program`)
  if (format > formatVersion) throw new Error(`The store ${path} has format ${format}; this version of the program reads formats up to ${formatVersion}`)
}

function checkSize (root: Root, path: string): void {
  // No size, no trust: NaN is never enough.
  const wholeFrom = Number(readNumber(root, sizeKey))
  if (!(statSync(path).size >= wholeFrom)) throw damaged(path)
}

function readNumber (root: Root, key: Buffer): number | undefined {
  return root.get(key)?.readDoubleLE()
}

function numberBytes (value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

/** A new store gets its name only when it is whole, so a crash in between leaves no half one behind. */
async function create (path: string): Promise<void> {
  const draft = `${path}.new`
  removeDraft(draft)
  const root = openLmdb(draft)
  root.transactionSync(() => root.putSync(formatKey, numberBytes(formatVersion)))
  await root.close()
  chmodSync(draft, 0o600)
  renameSync(draft, path)
  removeDraft(draft)
  syncDirectory(dirname(path))
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

const magic = 0xbeefc0de

/** Where LMDB keeps what in its two meta pages (struct MDB_meta in mdb.c of lmdb 3.5). */
const metaBytes = 160
const magicAt = 24
const pageBytesAt = 48
const mainRootAt = 136
const lastPageAt = 144
const transactionAt = 152

/**
 * Whether the file holds every page that its header counts. LMDB maps the file and trusts what it reads: a missing page would end the process,
 * so the pages that it reads first are looked for here.
 */
function checkPages (path: string): boolean {
  const descriptor = openSync(path, 'r')
  try {
    const first = readMeta(descriptor, 0)
    const pageBytes = first.readUInt32LE(pageBytesAt)
    const second = readMeta(descriptor, pageBytes)
    if (first.readUInt32LE(magicAt) !== magic || second.readUInt32LE(magicAt) !== magic) throw damaged(path)
    const meta = first.readBigUInt64LE(transactionAt) > second.readBigUInt64LE(transactionAt) ? first : second
    const pages = BigInt(fstatSync(descriptor).size) / BigInt(pageBytes)
    if (meta.readBigUInt64LE(mainRootAt) >= pages) throw damaged(path)
    return meta.readBigUInt64LE(lastPageAt) < pages
  } finally {
    closeSync(descriptor)
  }
}

function readMeta (descriptor: number, position: number): Buffer {
  const meta = Buffer.alloc(metaBytes)
  readSync(descriptor, meta, 0, metaBytes, position)
  return meta
}

function damaged (path: string): Error {
  return new Error(`The store's file ${path} is damaged or cut short: restore it from a backup`)
}
