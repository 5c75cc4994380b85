import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a connection is without a request before it counts as idle when the server closes: one may be on its way. */
const QUIET_MS = 100

/** How much of their answers clients may leave unread, all together. */
const UNREAD_BYTES = 256 * 1024 * 1024

/** How often that is looked at: what comes in between goes beyond the limit. */
const SAMPLE_MS = 200

interface Connection<Request> {
  /** Asked for at once: of a closed socket Node tells it only then. */
  address: string | undefined
  /** Requests that are not answered yet. */
  underWay: Set<Request>
  /** When the last one was answered, or the connection made. */
  quietSince: number
  /** What had been read from it by then: more is the beginning of a request. */
  bytesRead: number
  /** What the client had taken of its answers when that was looked at last. */
  taken: number | undefined
}

export interface HttpConnectionsOptions<Request> {
  /** Called with each request whose client left before the answer. */
  onAbort: (request: Request) => void
  unreadBytes?: number
  now?: () => number
}

/** The connections of an HTTP server: which may be closed when it ends, and which have to be since nobody reads their answers. */
export class HttpConnections<Request> {
  #open = new Map<Socket, Connection<Request>>()
  /** Requests whose bodies are on their way, and since when. */
  #arriving = new Map<IncomingMessage, number>()
  #held: (() => void)[] | undefined
  #lastMade = -Infinity
  #onAbort: (request: Request) => void
  #unreadBytes: number
  #now: () => number

  constructor (server: Server, options: HttpConnectionsOptions<Request>) {
    const { onAbort, unreadBytes = UNREAD_BYTES, now = () => performance.now() } = options
    this.#onAbort = onAbort
    this.#unreadBytes = unreadBytes
    this.#now = now
    server.on('connection', (socket) => this.#add(socket))
    // Node's own, which `close` calls, would also end a connection that was just made, with its first request on the way
    server.closeIdleConnections = () => this.closeIdle()
    const timer = setInterval(() => this.endSlowest(), SAMPLE_MS).unref()
    server.once('close', () => clearInterval(timer))
  }

  /** A request came on this connection. */
  begin (socket: Socket, request: Request): void {
    this.#open.get(socket)?.underWay.add(request)
  }

  /** The body of a request has a limited time to arrive. Node's own limit would also end a long upload that is used while it comes. */
  limit (message: IncomingMessage): void {
    if (!message.complete) this.#arriving.set(message, this.#now())
  }

  /** Those whose bodies are still on their way after so long; each is told of once. */
  late (limitMs: number): IncomingMessage[] {
    const late: IncomingMessage[] = []
    for (const [message, since] of this.#arriving) {
      const isLate = this.#now() - since > limitMs
      if (isLate && !message.complete && !message.socket.destroyed) late.push(message)
      if (isLate || message.complete || message.socket.destroyed) this.#arriving.delete(message)
    }
    return late
  }

  /** Goes on with a request: at once, or when those that are held are let go. */
  admit (goOn: () => void): void {
    if (this.#held) this.#held.push(goOn)
    else goOn()
  }

  /**
   * Holds requests before they are worked on, for the moment in which the server stops to listen: what the kernel has accepted by then
   * and the process has not, it resets. With nothing to do but to accept, the process is ahead of it; and clients that
   * wait for an answer make no new connections.
   */
  hold (): void {
    this.#held ??= []
  }

  /** Resolves once no connection has been made for some time, or when that takes too long. */
  async quiet (quietMs: number, limitMs: number): Promise<void> {
    const until = this.#now() + limitMs
    do await sleep(quietMs)
    while (this.#now() - this.#lastMade < quietMs && this.#now() < until)
  }

  letGo (): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const goOn of held) goOn()
  }

  /** A request of this connection was answered. */
  end (socket: Socket, request: Request): void {
    const connection = this.#open.get(socket)
    if (!connection) return
    connection.underWay.delete(request)
    connection.quietSince = this.#now()
    connection.bytesRead = socket.bytesRead
  }

  /** Closes the connections that have no request under way, nor had one a moment ago. */
  closeIdle (): void {
    const latest = this.#now() - QUIET_MS
    for (const [socket, { underWay, quietSince, bytesRead }] of this.#open) {
      if (underWay.size === 0 && quietSince <= latest && socket.bytesRead === bytesRead) socket.destroy()
    }
  }

  /** Where clients leave too much unread, ends those that took the least since the last time, until the rest is within the limit. */
  endSlowest (): void {
    const reading = [...this.#open].filter(([socket]) => socket.writableLength > 0)
    let unread = reading.reduce((sum, [socket]) => sum + socket.writableLength, 0)
    const byPace = reading.map(([socket, connection]) => ({ socket, pace: paceOf(socket, connection) })).sort((a, b) => a.pace - b.pace)
    for (const { socket } of byPace) {
      if (unread <= this.#unreadBytes) return
      unread -= socket.writableLength
      socket.destroy()
    }
  }

  #add (socket: Socket): void {
    this.#lastMade = this.#now()
    const connection: Connection<Request> = { address: socket.remoteAddress, underWay: new Set(), quietSince: this.#now(), bytesRead: 0, taken: undefined }
    this.#open.set(socket, connection)
    socket.once('close', () => {
      this.#open.delete(socket)
      for (const request of connection.underWay) this.#onAbort(request)
    })
  }
}

/** What the client took since the last time; of one that was not looked at before it is not known. */
function paceOf (socket: Socket, connection: Pick<Connection<never>, 'taken'>): number {
  const taken = socket.bytesWritten - socket.writableLength
  const pace = taken - (connection.taken ?? -Infinity)
  connection.taken = taken
  return pace
}
