import { WireError } from './errors.js'

/** MongoDB's wire protocol, https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export const maxMessageBytes = 48_000_000

const headerBytes = 16
/** What a socket gives at once, at most. */
const chunkBytes = 65_536
const opReply = 1
const opQuery = 2004
const opMsg = 2013
const checksumPresent = 1
const moreToCome = 2
const requiredFlags = 0xffff

export interface Message {
  requestId: number
  /** True for OP_QUERY, which today's drivers use for their first handshake only; it is answered by OP_REPLY. */
  legacy: boolean
  /** True when the client wants no reply (write concern w: 0). */
  silent: boolean
  /** OP_QUERY names its database in the collection name. */
  database?: string
  body: Buffer
  /** Kind-1 sections: the documents of an array field that was taken out of the body. */
  sequences: Map<string, Buffer[]>
}

/**
 * Cuts a stream of bytes into frames. A frame that came in one piece is a view of it; the pieces of another are copied together as they come,
 * so a client gets memory for what it has sent, whatever it announces, and in however small pieces.
 */
export class FrameReader {
  /** What has come and is not read yet stands up to `length`; behind that is room. */
  private bytes: Buffer = Buffer.alloc(0)
  private length = 0

  /** The memory that waits for the rest of a frame, in bytes. */
  get heldBytes (): number {
    return this.bytes.length
  }

  push (chunk: Buffer): void {
    const length = this.length + chunk.length
    if (this.length === 0) this.bytes = chunk
    else {
      if (length > this.bytes.length) this.grow(length)
      chunk.copy(this.bytes, this.length)
    }
    this.length = length
  }

  next (): Buffer | undefined {
    if (this.length < headerBytes) return
    const frameBytes = this.bytes.readInt32LE()
    if (frameBytes < headerBytes || frameBytes > maxMessageBytes) throw new WireError(`A message of ${frameBytes} bytes is not possible`)
    if (this.length < frameBytes) return
    const frame = this.bytes.subarray(0, frameBytes)
    const rest = this.bytes.subarray(frameBytes, this.length)
    // A view would keep the memory of the whole.
    this.bytes = rest.length === 0 || frameBytes > chunkBytes ? Buffer.from(rest) : rest
    this.length = rest.length
    return frame
  }

  /** Doubles up to the frame's end, so that each byte is copied about twice however many pieces there are. */
  private grow (length: number): void {
    const frameBytes = this.length < headerBytes ? headerBytes : this.bytes.readInt32LE()
    const bytes = Buffer.allocUnsafeSlow(Math.max(length, Math.min(frameBytes, 2 * this.bytes.length)))
    this.bytes.copy(bytes, 0, 0, this.length)
    this.bytes = bytes
  }
}

export function decode (frame: Buffer): Message {
  const opCode = frame.readInt32LE(12)
  try {
    if (opCode === opMsg) return decodeMsg(frame)
    if (opCode === opQuery) return decodeQuery(frame)
  } catch (error) {
    throw new WireError('A message is malformed', { cause: error })
  }
  throw new WireError(`Opcode ${opCode} is not supported`)
}

export function encode (requestId: number, legacy: boolean, body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(legacy ? 36 : 21)
  prefix.writeInt32LE(prefix.length + body.length)
  prefix.writeInt32LE(requestId, 8)
  prefix.writeInt32LE(legacy ? opReply : opMsg, 12)
  // OP_REPLY: flags, cursor id and startingFrom stay 0, then one document. OP_MSG: flags 0 and one section of kind 0.
  if (legacy) prefix.writeInt32LE(1, 32)
  return Buffer.concat([prefix, body])
}

function decodeMsg (frame: Buffer): Message {
  const flags = frame.readUInt32LE(headerBytes)
  if (flags & requiredFlags & ~(checksumPresent | moreToCome)) throw new WireError(`Flags ${flags} are not supported`)
  // The checksum is passed over: the socket is local, and the drivers send none.
  const sections = frame.subarray(headerBytes + 4, flags & checksumPresent ? -4 : undefined)
  const sequences = new Map<string, Buffer[]>()
  let body: Buffer | undefined
  for (let offset = 0; offset < sections.length;) {
    const kind = sections[offset++]
    const section = sized(sections, offset)
    offset += section.length
    if (kind === 0 && body === undefined) body = section
    else if (kind === 1) addSequence(sequences, section)
    else throw new WireError(`A section of kind ${kind} is out of place`)
  }
  if (body === undefined) throw new WireError('A message has no body')
  return { requestId: frame.readInt32LE(4), legacy: false, silent: (flags & moreToCome) !== 0, body, sequences }
}

function addSequence (sequences: Map<string, Buffer[]>, section: Buffer): void {
  const nameEnd = section.indexOf(0, 4)
  const name = section.toString('utf8', 4, nameEnd)
  if (nameEnd < 0 || sequences.has(name)) throw new WireError('A document sequence has no name, or is there twice')
  const documents: Buffer[] = []
  for (let offset = nameEnd + 1; offset < section.length;) {
    const document = sized(section, offset)
    documents.push(document)
    offset += document.length
  }
  sequences.set(name, documents)
}

function decodeQuery (frame: Buffer): Message {
  const nameStart = headerBytes + 4
  const nameEnd = frame.indexOf(0, nameStart)
  const [database, collection] = frame.toString('utf8', nameStart, nameEnd).split('.')
  if (nameEnd < 0 || collection !== '$cmd') throw new WireError('OP_QUERY is taken for commands only')
  // After the name: numberToSkip and numberToReturn, which mean nothing to a command.
  const body = sized(frame, nameEnd + 9)
  return { requestId: frame.readInt32LE(4), legacy: true, silent: false, database, body, sequences: new Map() }
}

/** The bytes from `offset` on that begin with their own length. */
function sized (bytes: Buffer, offset: number): Buffer {
  const length = bytes.readInt32LE(offset)
  if (length < 5 || offset + length > bytes.length) throw new WireError('A section or document reaches over its end')
  return bytes.subarray(offset, offset + length)
}
