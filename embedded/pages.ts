import { fstatSync, readSync } from 'node:fs'
import { DamagedFile } from './damage.js'

/*
 * LMDB's file as lmdb 3.5 writes it (mdb.c there: MDB_meta, MDB_page_header, MDB_node, MDB_db, MDB_ovpage; data version 2). LMDB maps the file and trusts
 * what it reads, so a damaged page can end the process. What is here reads the file as bytes, and an error is the worst that comes of it.
 */

/** One tree of the file, as a meta page or a node of the main tree describes it. */
export interface Tree {
  flags: number
  depth: number
  branches: bigint
  leaves: bigint
  overflows: bigint
  entries: bigint
  root: bigint
}

export interface Meta {
  pageBytes: number
  /** The trees of free pages and of named trees. */
  free: Tree
  main: Tree
  lastPage: bigint
  transaction: bigint
}

export const noPage = 0xffffffffffffffffn
export const headerBytes = 24
export const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8 }
const magic = 0xbeefc0de
const dataVersion = 2
/** Of the flags of an environment only what says how the file is laid out: keys of the free tree are whole numbers. */
const integerKeys = 8
const noSubdirectory = 0x4000

export function readTree (bytes: Buffer, at: number): Tree {
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branches: bytes.readBigUInt64LE(at + 8),
    leaves: bytes.readBigUInt64LE(at + 16),
    overflows: bytes.readBigUInt64LE(at + 24),
    entries: bytes.readBigUInt64LE(at + 32),
    root: bytes.readBigUInt64LE(at + 40)
  }
}

/** The pages of an open file, by number. */
export class PageFile {
  readonly meta: Meta
  /** How many pages the file has; free ones may be missing at its end. */
  readonly length: number
  private readonly descriptor: number

  constructor (descriptor: number) {
    this.descriptor = descriptor
    this.meta = readMeta(descriptor)
    this.length = Math.floor(fstatSync(descriptor).size / this.meta.pageBytes)
  }

  /** Reads into a buffer of one page or several. */
  read (page: bigint, into: Buffer): void {
    readAt(this.descriptor, Number(page) * this.meta.pageBytes, into)
  }
}

/**
 * The newer of the two meta pages, which each transaction writes in turn. Both have to be as one transaction after the other leaves them: with one
 * of them damaged, LMDB would take an older state of the store without a word.
 */
function readMeta (descriptor: number): Meta {
  const first = metaAt(descriptor, 0)
  const second = metaAt(descriptor, first.pageBytes)
  const [newer, older] = first.transaction > second.transaction ? [first, second] : [second, first]
  // The first meta page of a new file and of a copy is empty.
  const isFirst = older.transaction === 0n && older.main.root === noPage && older.free.root === noPage
  const isNext = newer.transaction === older.transaction + 1n || isFirst
  const place = newer.transaction % 2n === 0n ? first : second
  const isSound = [isNext, [place.transaction, 0n].includes(newer.transaction), first.pageBytes === second.pageBytes]
  if (isSound.includes(false)) throw new DamagedFile('its meta pages are not those of two transactions')
  const heldPages = BigInt(fstatSync(descriptor).size) / BigInt(newer.pageBytes)
  for (const { root } of [newer.free, newer.main]) if (root !== noPage && root >= heldPages) throw new DamagedFile('it ends before its trees')
  return newer
}

function metaAt (descriptor: number, position: number): Meta {
  const bytes = Buffer.alloc(headerBytes + 136)
  readAt(descriptor, position, bytes)
  const pageBytes = bytes.readUInt32LE(48)
  const meta = { pageBytes, free: readTree(bytes, 48), main: readTree(bytes, 96), lastPage: bytes.readBigUInt64LE(144), transaction: bytes.readBigUInt64LE(152) }
  const isMeta = bytes.readUInt16LE(18) === pageFlags.meta && bytes.readUInt32LE(24) === magic && bytes.readUInt32LE(28) === dataVersion
  const hasPages = pageBytes >= 512 && pageBytes <= 65_536 && Number.isInteger(Math.log2(pageBytes))
  const isPlain = (meta.free.flags & ~noSubdirectory) === integerKeys && meta.main.flags === 0 && bytes.readBigUInt64LE(32) === 0n
  if (!isMeta || !hasPages || !isPlain || meta.lastPage > 2n ** 40n) throw new DamagedFile('it has no sound meta page')
  return meta
}

function readAt (descriptor: number, position: number, into: Buffer): void {
  if (readSync(descriptor, into, 0, into.length, position) < into.length) throw new DamagedFile('it is cut short')
}
