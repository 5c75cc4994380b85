import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize, type Document } from 'bson'
import type { Test } from 'tap'
import { serve, type Server, type ServerOptions } from '../../embedded/server.js'
import { FrameReader } from '../../embedded/wire.js'

/** A directory of its own, short enough for a socket, removed at the end. */
export async function directoryFor (t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The server in this process, without its worker, and a client that speaks bare messages to it. No cursor may be open at the end. */
export async function serverFor (t: Test, options: Partial<ServerOptions> = {}): Promise<{ server: Server, socketPath: string, client: WireClient }> {
  const directory = await directoryFor(t)
  const socketPath = join(directory, 'test.sock')
  const server = await serve({ directory, socketPath, ...options })
  const client = await WireClient.open(socketPath)
  t.teardown(async () => {
    client.socket.destroy()
    const { size } = server.cursors
    await server.close()
    if (size > 0) throw new Error(`${size} cursors were left open`)
  })
  return { server, socketPath, client }
}

export interface SendOptions {
  flags?: number
  sequences?: Record<string, Document[]>
}

/** A section of kind 1. */
export function sequence (name: string, documents: Uint8Array[]): Buffer {
  const section = Buffer.concat([Buffer.alloc(5), Buffer.from(`${name}\0`), ...documents])
  section.writeUInt8(1)
  section.writeInt32LE(section.length - 1, 1)
  return section
}

/** A frame with any opcode and content. */
export function frame (opCode: number, ...parts: Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(16), ...parts])
  bytes.writeInt32LE(bytes.length)
  bytes.writeInt32LE(7, 4)
  bytes.writeInt32LE(opCode, 12)
  return bytes
}

export function int32 (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** An OP_MSG with a body and maybe document sequences. */
export function message (body: Document | Uint8Array, { flags = 0, sequences = {} }: SendOptions = {}): Buffer {
  const bytes = body instanceof Uint8Array ? body : serialize({ ...body, $db: body.$db ?? 'college' }, { ignoreUndefined: true })
  const sections = Object.entries(sequences).map(([name, documents]) => sequence(name, documents.map(document => serialize(document))))
  return frame(2013, int32(flags), Buffer.from([0]), bytes, ...sections)
}

export class WireClient {
  readonly socket: Socket
  private readonly reader = new FrameReader()
  private waiting: Array<(reply: Buffer) => void> = []

  constructor (socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', chunk => {
      this.reader.push(chunk)
      for (let reply = this.reader.next(); reply !== undefined; reply = this.reader.next()) this.waiting.shift()?.(reply)
    })
  }

  static async open (where: string | number): Promise<WireClient> {
    const socket = typeof where === 'string' ? connect(where) : connect(where, '127.0.0.1')
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Sends a command and returns the reply's document, with BSON's own types. */
  async send (body: Document | Uint8Array, options?: SendOptions): Promise<Document> {
    const reply = await this.exchange(message(body, options))
    return deserialize(reply.subarray(21), { promoteValues: false })
  }

  exchange (bytes: Uint8Array): Promise<Buffer> {
    this.socket.write(bytes)
    return new Promise(resolve => this.waiting.push(resolve))
  }

  /** Resolves when the server has closed the connection, or reset it. */
  async closed (): Promise<void> {
    if (!this.socket.closed) await new Promise(resolve => this.socket.once('close', resolve))
  }
}
