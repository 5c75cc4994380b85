import { once, setMaxListeners } from 'node:events'
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { corrupt, isOutOfStep, type Below, type Direction } from './corruption.js'

export const faultKinds = ['delay', 'drop', 'reset', 'truncate', 'corrupt', 'freeze'] as const

export interface Fault {
  kind: typeof faultKinds[number]
  /** The share of the connections that have it, and of their messages, in percent. */
  connections: number
  messages: number
}

export interface FaultyProxyOptions {
  target: () => NetConnectOpts
  below: Below
  /** Told each message of the API when it leaves it, whatever becomes of it. */
  onRequest: (message: Buffer) => void
  /** Told each message of the API when it goes on to the database, as it left the API. */
  onDelivered: (message: Buffer) => void
}

/** What one direction of a connection does with a message. */
interface Pipe {
  direction: Direction
  to: Socket
  link: Link
}

/** A connection of the API, and that to the database which stands for it. */
interface Link {
  inner: Socket
  outer: Socket
  isClosed: boolean
  /** Nothing passes any more, and nobody is told. */
  isMute: boolean
  /** Whether it has the fault, which is decided once for each. */
  fault?: { of: Fault, applies: boolean }
}

/** A TCP proxy before a database of MongoDB's protocol, which does to messages what the fault that is under way says. */
export class FaultyProxy {
  /** How many messages each kind of fault has met. */
  injected = new Map<string, number>()
  #options: FaultyProxyOptions
  #server: Server
  #fault: Fault | undefined
  #ended = new AbortController()
  #links = new Set<Link>()

  constructor (options: FaultyProxyOptions) {
    this.#options = options
    this.#server = createServer((inner) => this.#link(inner))
  }

  async start (): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return `mongodb://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/?directConnection=true`
  }

  stop (): void {
    this.end()
    this.#server.close()
    for (const link of this.#links) close(link)
  }

  begin (fault: Fault): void {
    this.#ended = new AbortController()
    setMaxListeners(0, this.#ended.signal) // each message that waits
    this.#fault = fault
  }

  /** Messages that are held pass now. */
  end (): void {
    this.#fault = undefined
    this.#ended.abort()
  }

  #link (inner: Socket): void {
    const outer = connect(this.#options.target())
    const link = { inner, outer, isClosed: false, isMute: false }
    this.#links.add(link)
    this.#forward(inner, { direction: 'request', to: outer, link })
    this.#forward(outer, { direction: 'reply', to: inner, link })
  }

  #forward (from: Socket, pipe: Pipe): void {
    const messages = new Messages()
    let passed = Promise.resolve()
    from.on('data', (data) => {
      // read at once, also what waits then: it has left the API
      for (const message of messages.push(data)) {
        if (pipe.direction === 'request') this.#options.onRequest(message)
        passed = passed.then(async () => this.#pass(message, pipe))
      }
    })
    from.on('error', () => {})
    from.on('close', () => {
      // what a client sent before it left would still arrive; what waits here does not, so that its time is known to be over
      if (pipe.direction === 'request') close(pipe.link)
      else passed.finally(() => close(pipe.link))
      this.#links.delete(pipe.link)
    })
  }

  async #pass (message: Buffer, pipe: Pipe): Promise<void> {
    const { link, to } = pipe
    const fault = this.#faultOf(link)
    const passed = fault ? await this.#spoil(message, fault, pipe) : message
    if (!passed || link.isClosed || link.isMute) return
    to.write(passed)
    if (pipe.direction === 'request') this.#options.onDelivered(message)
  }

  /** The fault that the next message of a connection has. */
  #faultOf (link: Link): Fault | undefined {
    const { below } = this.#options
    const fault = this.#fault
    if (!fault) return undefined
    if (link.fault?.of !== fault) link.fault = { of: fault, applies: below(100) < fault.connections }
    return link.fault.applies && below(100) < fault.messages ? fault : undefined
  }

  async #spoil (message: Buffer, { kind }: Fault, { direction, link, to }: Pipe): Promise<Buffer | undefined> {
    const { below } = this.#options
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1)
    switch (kind) {
      case 'delay':
        await this.#wait(50 + below(450))
        return message
      case 'freeze':
        await this.#wait(60_000)
        return message
      case 'drop':
        link.isMute = below(2) === 0
        return undefined
      case 'reset':
        link.inner.resetAndDestroy()
        return undefined
      case 'truncate':
        to.end(message.subarray(0, below(message.length)))
        link.isMute = true
        setTimeout(() => close(link), below(200))
        return undefined
      case 'corrupt':
        return this.#corrupt(message, direction, link, to)
    }
  }

  /** After a reply whose length is wrong nothing passes: out of step, the driver comes upon a length of 0 sooner or later. */
  #corrupt (message: Buffer, direction: Direction, link: Link, to: Socket): Buffer | undefined {
    const corrupted = corrupt(message, direction, this.#options.below)
    if (direction === 'request' || !isOutOfStep(corrupted)) return corrupted
    to.write(corrupted)
    link.isMute = true
    return undefined
  }

  async #wait (ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ended.signal }).catch(() => {})
  }
}

function close (link: Link): void {
  link.isClosed = true
  link.inner.destroy()
  link.outer.destroy()
}

/** Cuts a stream into the messages of MongoDB's protocol. */
class Messages {
  #bytes = Buffer.alloc(0)

  push (data: Buffer): Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, data])
    const messages = []
    while (this.#bytes.length >= 4 && this.#bytes.length >= Math.max(16, this.#bytes.readInt32LE())) {
      const length = Math.max(16, this.#bytes.readInt32LE())
      messages.push(this.#bytes.subarray(0, length))
      this.#bytes = this.#bytes.subarray(length)
    }
    return messages
  }
}
