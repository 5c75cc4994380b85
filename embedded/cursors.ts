import { randomBytes } from 'node:crypto'
import { MongoError } from './errors.js'
import type { Batches } from './scan.js'

export interface Cursor {
  namespace: string
  /** The session (lsid) that opened it, as hex; its end is the cursor's end. */
  session: string | undefined
  batches: Batches
  /** What its filter takes, and what it keeps of its documents. */
  heldBytes: number
}

interface Entry {
  readonly cursor: Cursor
  readonly lastUsed: number
}

/** What a cursor keeps besides, about. */
const cursorBytes = 1000

export interface CursorOptions {
  /** The memory of all; beyond it, the one that was unused for longest ends. */
  limitBytes?: number
  timeoutMs?: number
  now?: () => number
}

/** Open cursors, the longest unused first. A cursor holds its filter and a place in a collection, or what it has sorted, and no transaction. */
export class Cursors {
  private readonly open = new Map<bigint, Entry>()
  private readonly limitBytes: number
  private readonly timeoutMs: number
  private readonly now: () => number
  private readonly timer: NodeJS.Timeout

  private bytes = 0

  constructor ({ limitBytes = 64 * 1024 * 1024, timeoutMs = 600_000, now = Date.now }: CursorOptions = {}) {
    this.limitBytes = limitBytes
    this.timeoutMs = timeoutMs
    this.now = now
    this.timer = setInterval(() => this.expire(), 60_000).unref()
  }

  get size (): number {
    return this.open.size
  }

  add (cursor: Cursor): bigint {
    // Random, so that one client does not hit another's cursor by mistake; 63 bits with the last set, so never 0.
    const id = randomBytes(8).readBigUInt64LE() >> 1n | 1n
    this.bytes += sizeOf(cursor)
    for (const oldest of this.open.keys()) {
      if (this.bytes <= this.limitBytes) break
      this.kill(oldest)
    }
    this.open.set(id, { cursor, lastUsed: this.now() })
    return id
  }

  use (id: bigint, namespace: string): Cursor {
    const entry = this.open.get(id)
    if (entry === undefined) throw new MongoError('CursorNotFound', `cursor id ${id} not found`)
    if (entry.cursor.namespace !== namespace) {
      throw new MongoError('Unauthorized', `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${entry.cursor.namespace}`)
    }
    this.open.delete(id)
    this.open.set(id, { cursor: entry.cursor, lastUsed: this.now() })
    return entry.cursor
  }

  kill (id: bigint): boolean {
    const entry = this.open.get(id)
    if (entry !== undefined) this.bytes -= sizeOf(entry.cursor)
    return this.open.delete(id)
  }

  endSession (session: string): void {
    for (const [id, { cursor }] of this.open) if (cursor.session === session) this.kill(id)
  }

  expire (): void {
    const oldest = this.now() - this.timeoutMs
    for (const [id, { lastUsed }] of this.open) if (lastUsed < oldest) this.kill(id)
  }

  close (): void {
    clearInterval(this.timer)
    this.open.clear()
  }
}

function sizeOf ({ heldBytes, session }: Cursor): number {
  return cursorBytes + heldBytes + (session?.length ?? 0)
}
