import type { IncomingMessage, Server } from 'node:http'
import type { Http2ServerRequest, Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { unreadOf } from './unread.js'

/** How long a connection is without a request before it counts as idle when the server closes: one may be on its way. */
const QUIET_MS = 100

/** How much of their answers clients may leave unread, all together. */
const UNREAD_BYTES = 256 * 1024 * 1024

/** How often that is looked at: what comes in between goes beyond the limit. */
const SAMPLE_MS = 200

/** A request of either version of HTTP. */
export type Message = IncomingMessage | Http2ServerRequest

interface Connection<Request> {
  socket: Socket
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
  /** With HTTP/2: what runs on the connection, and its requests. */
  session?: ServerHttp2Session
  streams: Set<ServerHttp2Stream>
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
  /** With HTTP/2 a request does not tell its connection, and once it is closed not its session either. */
  #ofSessions = new WeakMap<object, Connection<Request>>()
  #ofMessages = new WeakMap<Message, Connection<Request>>()
  /** Requests whose bodies are on their way, and since when. */
  #arriving = new Map<Message, number>()
  #held: (() => void)[] | undefined
  #lastMade = -Infinity
  #onAbort: (request: Request) => void
  #unreadBytes: number
  #now: () => number

  constructor (server: Server | Http2SecureServer, options: HttpConnectionsOptions<Request>) {
    const { onAbort, unreadBytes = UNREAD_BYTES, now = () => performance.now() } = options
    this.#onAbort = onAbort
    this.#unreadBytes = unreadBytes
    this.#now = now
    const isSecure = 'setSecureContext' in server
    // the session of a connection is made by Node's own listener, so this one comes first
    let latest: Connection<Request> | undefined
    server.prependListener(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => { latest = this.#add(socket) })
    server.on('session', (session: ServerHttp2Session) => {
      if (latest) this.#ofSessions.set(session, Object.assign(latest, { session }))
    })
    // Node's own, which `close` calls, would also end a connection that was just made, with its first request on the way
    Object.assign(server, { closeIdleConnections: () => this.closeIdle() })
    const timer = setInterval(() => this.endSlowest(), SAMPLE_MS).unref()
    server.once('close', () => clearInterval(timer))
  }

  /** A request came on this connection. */
  begin (message: Message, request: Request): void {
    const connection = this.#connectionOf(message)
    connection?.underWay.add(request)
    if (connection && 'stream' in message) this.#watch(message, request, connection)
  }

  /** The body of a request has a limited time to arrive. Node's own limit would also end a long upload that is used while it comes. */
  limit (message: Message): void {
    if (!message.complete) this.#arriving.set(message, this.#now())
  }

  /** Those whose bodies are still on their way after so long; each is told of once. */
  late (limitMs: number): Message[] {
    const late: Message[] = []
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
  end (message: Message, request: Request): void {
    const connection = this.#connectionOf(message)
    if (!connection) return
    connection.underWay.delete(request)
    connection.quietSince = this.#now()
    connection.bytesRead = connection.socket.bytesRead
  }

  /** Closes the connections that have no request under way, nor had one a moment ago. */
  closeIdle (): void {
    const latest = this.#now() - QUIET_MS
    for (const { socket, underWay, quietSince, bytesRead, session } of this.#open.values()) {
      // says so to the client, answers what is under way, and ends (RFC 9113 section 6.8)
      if (session && !session.closed) session.close()
      // a client that leaves its last answer unread would never end its side
      else if (underWay.size === 0 && quietSince <= latest && (session ? socket.writableFinished : socket.bytesRead === bytesRead)) socket.destroy()
    }
  }

  /** Where clients leave too much unread, ends those that took the least since the last time, until the rest is within the limit. */
  endSlowest (): void {
    const reading = [...this.#open.values()].filter((connection) => unreadBy(connection) > 0)
    let unread = reading.reduce((sum, connection) => sum + unreadBy(connection), 0)
    const byPace = reading.map((connection) => ({ connection, pace: paceOf(connection) })).sort((a, b) => a.pace - b.pace)
    for (const { connection } of byPace) {
      if (unread <= this.#unreadBytes) return
      unread -= unreadBy(connection)
      connection.socket.destroy()
    }
  }

  #connectionOf (message: Message): Connection<Request> | undefined {
    if (!('stream' in message)) return this.#open.get(message.socket)
    return this.#ofMessages.get(message) ?? (message.stream.session && this.#ofSessions.get(message.stream.session))
  }

  /** With HTTP/2 a client may leave one request of many. */
  #watch (message: Http2ServerRequest, request: Request, connection: Connection<Request>): void {
    const { stream } = message
    this.#ofMessages.set(message, connection)
    // Node's own stand-in forgets the address of the client when the request is closed
    Object.defineProperty(message, 'socket', { value: connection.socket })
    connection.streams.add(stream)
    stream.once('close', () => {
      connection.streams.delete(stream)
      if (connection.underWay.delete(request)) this.#onAbort(request)
    })
  }

  #add (socket: Socket): Connection<Request> {
    this.#lastMade = this.#now()
    const connection: Connection<Request> = {
      socket, address: socket.remoteAddress, underWay: new Set(), quietSince: this.#now(), bytesRead: socket.bytesRead, taken: undefined, streams: new Set()
    }
    this.#open.set(socket, connection)
    socket.once('close', () => {
      this.#open.delete(socket)
      for (const request of connection.underWay) this.#onAbort(request)
      connection.underWay.clear()
    })
    return connection
  }
}

/** What a client has not taken yet of its answers. */
function unreadBy ({ socket, streams }: Connection<unknown>): number {
  let unread = unreadOf(socket)
  for (const stream of streams) unread += unreadOf(stream)
  return unread
}

/** What the client took since the last time; of one that was not looked at before it is not known. HTTP/2 writes past the socket, which counts then as 0. */
function paceOf (connection: Connection<unknown>): number {
  const taken = connection.socket.bytesWritten - unreadBy(connection)
  const pace = taken - (connection.taken ?? -Infinity)
  connection.taken = taken
  return pace
}
