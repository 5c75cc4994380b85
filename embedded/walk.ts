import { DamagedFile } from './damage.js'
import { headerBytes, noPage, PageFile, pageFlags, readTree, type Tree } from './pages.js'

/** Called for each entry, with bytes that are overwritten after it: the key, the value, and both as they stand in one piece where they do. */
export type Visit = (key: Buffer, value: Buffer, both: Buffer | undefined) => void

const nodeBytes = 8
const nodeFlags = { overflow: 1, tree: 2 }
/** Deeper than any tree of a file that fits a disk. */
const maxDepth = 16
const lengthBytes = 8

/**
 * Walks over all pages of a snapshot of the file and throws a DamagedFile where LMDB would read outside of a page, meet a page twice, or not find
 * what is there; a RangeError where there are too few bytes for what should stand there. What the pages hold is for the visitors to check.
 */
export class Walk {
  private readonly file: PageFile
  private readonly pages: number
  /** Pages that were met. */
  private readonly met: Uint8Array
  private readonly buffers: Buffer[] = []

  constructor (descriptor: number) {
    this.file = new PageFile(descriptor)
    this.pages = Number(this.file.meta.lastPage) + 1
    this.met = new Uint8Array(Math.min(this.pages, this.file.length))
  }

  /** Walks over the main tree, the named trees in it, and the list of free pages. `visitorOf` tells who gets the entries of a tree, '' for the main one. */
  run (visitorOf: (tree: string) => Visit): void {
    const { main, free } = this.file.meta
    const named = new Map<string, Tree>()
    new TreeWalk(this, main, visitorOf(''), (name, tree) => named.set(name, tree)).run()
    for (const [name, tree] of named) {
      if (tree.flags !== 0) throw new DamagedFile(`the tree ${name} is of an unknown kind`)
      new TreeWalk(this, tree, visitorOf(name)).run()
    }
    const lists: Buffer[] = []
    new TreeWalk(this, free, (_key, value) => lists.push(Buffer.from(value)), undefined, compareNumbers).run()
    for (const list of lists) this.checkFree(list)
  }

  /** A page of a tree. Each level has a buffer of its own. */
  page (number: bigint, level: number): Buffer {
    this.meet(number, 1)
    const buffer = this.buffers[level] ??= Buffer.alloc(this.file.meta.pageBytes)
    this.file.read(number, buffer)
    if (buffer.readBigUInt64LE() !== number) throw new DamagedFile(`page ${number} is not itself`)
    return buffer
  }

  /** The value that node data of {page, transaction, pages} points to. */
  overflow (data: Buffer, length: number): { value: Buffer, pages: number } {
    const { pageBytes } = this.file.meta
    const number = data.readBigUInt64LE()
    const pages = Math.ceil((headerBytes + length) / pageBytes)
    if (data.readBigUInt64LE(16) !== BigInt(pages)) throw new DamagedFile(`page ${number} begins a value of another length`)
    this.meet(number, pages)
    const bytes = Buffer.allocUnsafe(headerBytes + length)
    this.file.read(number, bytes)
    const isItself = bytes.readBigUInt64LE() === number && bytes.readUInt16LE(18) === pageFlags.overflow && bytes.readUInt32LE(20) === pages
    if (!isItself) throw new DamagedFile(`page ${number} does not begin a value`)
    return { value: bytes.subarray(headerBytes), pages }
  }

  private meet (first: bigint, count: number): void {
    const start = Number(first)
    if (first < 2n || start + count > this.pages) throw new DamagedFile(`page ${first} is not one of ${this.pages}`)
    for (let page = start; page < Math.min(start + count, this.met.length); page++) {
      if (this.met[page] === 1) throw new DamagedFile(`page ${page} is in use twice`)
      this.met[page] = 1
    }
  }

  /** A list of free pages: its length, then page numbers, each with its count before it, negative, where it begins several; 0 is no page. More of them than there are is out of range. */
  private checkFree (list: Buffer): void {
    const length = Number(list.readBigUInt64LE())
    for (let index = 1; index <= length; index++) {
      let count = 1n
      let page = list.readBigInt64LE(index * lengthBytes)
      if (page < 0n && index < length) {
        count = -page
        page = list.readBigInt64LE(++index * lengthBytes)
      }
      if (page === 0n) continue
      if (page < 0n || page + count > BigInt(this.pages)) throw new DamagedFile(`page ${page} is free but not there`)
      this.meet(page, Number(count))
    }
  }
}

class TreeWalk {
  private branches = 0n
  private leaves = 0n
  private overflows = 0n
  private entries = 0n
  /** The last key met. */
  private last: Buffer | undefined

  constructor (
    private readonly walk: Walk,
    private readonly tree: Tree,
    private readonly visit: Visit,
    private readonly onTree?: (name: string, tree: Tree) => void,
    private readonly compare: (a: Buffer, b: Buffer) => number = Buffer.compare
  ) {}

  run (): void {
    const { root, depth, branches, leaves, overflows, entries } = this.tree
    if (depth > maxDepth || (depth === 0) !== (root === noPage)) throw new DamagedFile('a tree has an impossible depth')
    if (depth > 0) this.descend(root, 1, undefined)
    const counted = this.branches === branches && this.leaves === leaves && this.overflows === overflows && this.entries === entries
    if (!counted) throw new DamagedFile(`a tree of ${entries} entries has ${this.entries}`)
  }

  private descend (number: bigint, level: number, least: Buffer | undefined): void {
    const page = this.walk.page(number, level)
    const isLeaf = level === this.tree.depth
    if (page.readUInt16LE(18) !== (isLeaf ? pageFlags.leaf : pageFlags.branch)) throw new DamagedFile(`page ${number} is of another kind`)
    const nodes = nodesOf(page, number)
    let used = 0
    for (const [index, at] of nodes.entries()) {
      const keyEnd = at + nodeBytes + page.readUInt16LE(at + 6)
      if (keyEnd > page.length) throw new DamagedFile(`a key of page ${number} reaches over its end`)
      const key = page.subarray(at + nodeBytes, keyEnd)
      used += isLeaf ? this.leafNode(page, at, key, index === 0 ? least : undefined) : this.branchNode(page, at, key, { level, index, least })
    }
    if (used !== page.length - headerBytes - page.readUInt16LE(22)) throw new DamagedFile(`page ${number} has bytes that belong to nothing`)
    if (isLeaf) this.leaves++
    else this.branches++
    if (isLeaf) this.last &&= Buffer.from(this.last)
  }

  /** The first key of a branch says nothing; any other is not above the keys of its page, and above those of the page before. */
  private branchNode (page: Buffer, at: number, key: Buffer, { level, index, least }: { level: number, index: number, least: Buffer | undefined }): number {
    const child = page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32
    if (index > 0 && this.last !== undefined && this.compare(this.last, key) >= 0) throw new DamagedFile('keys are out of order')
    this.descend(BigInt(child), level + 1, index === 0 ? least : Buffer.from(key))
    return even(nodeBytes + key.length)
  }

  private leafNode (page: Buffer, at: number, key: Buffer, least: Buffer | undefined): number {
    const tooLow = least !== undefined && this.compare(key, least) < 0
    if (tooLow || (this.last !== undefined && this.compare(this.last, key) >= 0)) throw new DamagedFile('keys are out of order')
    this.last = key
    this.entries++
    const length = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const start = at + nodeBytes + key.length
    const held = flags === nodeFlags.overflow ? 24 : length
    if (start + held > page.length) throw new DamagedFile('a value reaches over the end of its page')
    const data = page.subarray(start, start + held)
    if (flags === nodeFlags.overflow) {
      const { value, pages } = this.walk.overflow(data, length)
      this.overflows += BigInt(pages)
      this.visit(key, value, undefined)
    } else if (flags === nodeFlags.tree && this.onTree !== undefined) this.onTree(key.toString(), readTree(data, 0))
    else if (flags === 0) this.visit(key, data, page.subarray(at + nodeBytes, start + held))
    else throw new DamagedFile('an entry is of an unknown kind')
    return even(nodeBytes + key.length + held)
  }
}

/** Where the nodes of a page begin. They stand in the order of their keys at its front, the nodes themselves fill its end. */
function nodesOf (page: Buffer, number: bigint): number[] {
  const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)]
  const room = page.length - headerBytes
  if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) throw new DamagedFile(`page ${number} has impossible bounds`)
  return Array.from({ length: lower / 2 }, (_, index) => {
    const at = page.readUInt16LE(headerBytes + 2 * index)
    if (at < upper || at + nodeBytes > room) throw new DamagedFile(`a node of page ${number} is outside of it`)
    return headerBytes + at
  })
}

function even (length: number): number {
  return length + length % 2
}

function compareNumbers (a: Buffer, b: Buffer): number {
  const [left, right] = [a.readBigUInt64LE(), b.readBigUInt64LE()]
  return left < right ? -1 : Number(left > right)
}
