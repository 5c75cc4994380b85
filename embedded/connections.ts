import type { Socket } from 'node:net'
import { Backlog, type BacklogOptions } from './backlog.js'
import type { Context } from './commands/command.js'
import { Connection } from './connection.js'

export interface ConnectionsOptions extends BacklogOptions {
  /** How long a connection may be without a message that was answered. */
  idleTimeoutMs?: number
  now?: () => number
}

/** The open connections. MongoDB's sessions need nothing here: what a session has open are cursors, which end by themselves. */
export class Connections {
  private readonly open = new Set<Connection>()
  private readonly backlog: Backlog
  private readonly idleTimeoutMs: number
  private readonly now: () => number
  private readonly timer: NodeJS.Timeout
  private lastId = 0

  constructor ({ idleTimeoutMs = 1_800_000, now = Date.now, ...limits }: ConnectionsOptions = {}) {
    this.backlog = new Backlog(limits)
    this.idleTimeoutMs = idleTimeoutMs
    this.now = now
    this.timer = setInterval(() => this.expire(), 60_000).unref()
  }

  get size (): number {
    return this.open.size
  }

  add (socket: Socket, parts: Omit<Context, 'connectionId'>, token: string | undefined): void {
    const context = { ...parts, connectionId: ++this.lastId }
    const connection = new Connection(socket, { context, backlog: this.backlog, token, now: this.now })
    this.open.add(connection)
    socket.once('close', () => this.open.delete(connection))
  }

  expire (): void {
    const oldest = this.now() - this.idleTimeoutMs
    for (const connection of this.open) if (connection.isIdleSince(oldest)) connection.destroy()
  }

  /** Ends each once the message in work is answered, whoever does not read in that time at its end. Nothing may be added any more. */
  close (timeoutMs: number): () => void {
    clearInterval(this.timer)
    for (const connection of this.open) connection.close()
    const timer = setTimeout(() => this.open.forEach(connection => connection.destroy()), timeoutMs)
    return () => clearTimeout(timer)
  }
}
