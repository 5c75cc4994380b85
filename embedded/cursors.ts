import { randomBytes } from 'node:crypto'
import { MongoError } from './errors.js'
import type { Scan } from './scan.js'

export interface Cursor {
  namespace: string
  /** The session (lsid) that opened it, as hex; its end is the cursor's end. */
  session: string | undefined
  scan: Scan
}

interface Entry {
  cursor: Cursor
  lastUsed: number
}

export interface CursorOptions {
  timeoutMs?: number
  now?: () => number
}

/** Open cursors. A cursor holds a place in a collection and no transaction, so an idle one costs a few bytes. */
export class Cursors {
  private readonly open = new Map<bigint, Entry>()
  private readonly timeoutMs: number
  private readonly now: () => number
  private readonly timer: NodeJS.Timeout

  constructor ({ timeoutMs = 600_000, now = Date.now }: CursorOptions = {}) {
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
    this.open.set(id, { cursor, lastUsed: this.now() })
    return id
  }

  use (id: bigint, namespace: string): Cursor {
    const entry = this.open.get(id)
    if (entry === undefined) throw new MongoError('CursorNotFound', `cursor id ${id} not found`)
    if (entry.cursor.namespace !== namespace) {
      throw new MongoError('Unauthorized', `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${entry.cursor.namespace}`)
    }
    entry.lastUsed = this.now()
    return entry.cursor
  }

  kill (id: bigint): boolean {
    return this.open.delete(id)
  }

  endSession (session: string): void {
    for (const [id, { cursor }] of this.open) if (cursor.session === session) this.open.delete(id)
  }

  expire (): void {
    const oldest = this.now() - this.timeoutMs
    for (const [id, { lastUsed }] of this.open) if (lastUsed < oldest) this.open.delete(id)
  }

  close (): void {
    clearInterval(this.timer)
    this.open.clear()
  }
}
