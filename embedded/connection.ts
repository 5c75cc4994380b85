import { createHash, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Backlog } from './backlog.js'
import { fieldsOf, noDocument, text, types } from './bson.js'
import { errorReply, execute } from './commands/index.js'
import type { Context } from './commands/command.js'
import { MongoError } from './errors.js'
import { Request } from './request.js'
import { decode, encode, FrameReader, type Message } from './wire.js'

export interface ConnectionOptions {
  context: Context
  backlog: Backlog
  /** What the client has to bring in its handshake. */
  token: string | undefined
  now: () => number
}

/**
 * One client. Its messages are answered one after the other, in order; while one is in work, or while the client does not read its replies,
 * nothing more is read from it.
 */
export class Connection {
  private readonly socket: Socket
  private readonly context: Context
  private readonly backlog: Backlog
  private readonly now: () => number
  private readonly reader = new FrameReader()
  private token: string | undefined
  /** When the last message was answered, or the connection made. */
  private lastUsed: number
  /** The size of the message in work; 0 when there is none. */
  private workBytes = 0
  private heldBytes = 0
  private closing = false

  constructor (socket: Socket, { context, backlog, token, now }: ConnectionOptions) {
    this.socket = socket
    this.context = context
    this.backlog = backlog
    this.token = token
    this.now = now
    this.lastUsed = now()
    socket.setNoDelay(true)
    socket.on('data', chunk => this.receive(chunk))
    socket.on('drain', () => this.advance())
    // A client that is gone needs no answer; 'close' follows.
    socket.on('error', () => {})
    socket.once('close', () => this.account())
  }

  /** Whether nothing was answered since then; half a message, or a reply that is not read, is no use. */
  isIdleSince (time: number): boolean {
    return this.workBytes === 0 && this.lastUsed < time
  }

  /** Ends the connection once the message in work is answered. */
  close (): void {
    this.closing = true
    if (this.workBytes === 0) this.socket.destroySoon()
  }

  /** Ends the connection at once. */
  destroy (): void {
    this.socket.destroy()
  }

  private receive (chunk: Buffer): void {
    this.reader.push(chunk)
    this.advance()
  }

  private advance (): void {
    this.account()
    if (this.workBytes > 0 || this.closing || this.socket.writableNeedDrain) {
      this.socket.pause()
      return
    }
    try {
      const frame = this.reader.next()
      if (frame === undefined) this.socket.resume()
      else this.work(decode(frame), frame.length)
    } catch {
      // Malformed: nothing after it can be read with trust.
      this.socket.destroy()
    }
  }

  private async work (message: Message, bytes: number): Promise<void> {
    this.workBytes = bytes
    const body = await this.answer(message)
    this.workBytes = 0
    this.lastUsed = this.now()
    if (body === undefined) {
      this.socket.destroy()
      return
    }
    if (!message.silent) this.socket.write(encode(message.requestId, message.legacy, body))
    if (this.closing) this.socket.destroySoon()
    else this.advance()
  }

  /** Has the memory counted that this client is using, and ends it when that is too much. */
  private account (): void {
    const waiting = this.socket.destroyed ? 0 : this.reader.heldBytes + this.socket.writableLength
    const heldBytes = waiting + this.workBytes
    const isAllowed = this.backlog.change(this.heldBytes, heldBytes)
    this.heldBytes = heldBytes
    if (!isAllowed) this.socket.destroy()
  }

  /** The reply's document, or undefined when the client is not let in. */
  private async answer (message: Message): Promise<Uint8Array | undefined> {
    try {
      const request = new Request(message)
      if (!this.letIn(request)) return
      if (message.legacy && !isHandshake(request)) {
        throw new MongoError('UnsupportedOpQueryCommand', `Unsupported OP_QUERY command: ${request.command}.`)
      }
      return await execute(request, this.context)
    } catch (error) {
      return errorReply(error)
    }
  }

  /** Where a token is asked for, the first message has to be a handshake that brings it as its application's name. */
  private letIn (request: Request): boolean {
    if (this.token === undefined) return true
    if (!isHandshake(request) || !equal(applicationName(request), this.token)) return false
    this.token = undefined
    return true
  }
}

function isHandshake ({ command }: Request): boolean {
  return command === 'hello' || command.toLowerCase() === 'ismaster'
}

/** client.application.name of a handshake, where drivers put the URL's appName. */
function applicationName (request: Request): string {
  const application = fieldsOf(request.document('client') ?? noDocument).find(({ name, type }) => name === 'application' && type === types.object)
  const name = fieldsOf(application?.value ?? noDocument).find(field => field.name === 'name' && field.type === types.string)
  return name === undefined ? '' : text(name.value)
}

/** In a time that tells nothing of how much was right. */
function equal (given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map(value => createHash('sha256').update(value).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
