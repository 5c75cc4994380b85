import { onDemand } from 'bson'

const HEADER_BYTES = 16
const OP_MSG = 2013
/** A type that BSON does not have. */
const NO_TYPE = 0x6e
/** More documents than the driver may make of an OP_REPLY that is none. */
const MAX_RETURNED = 10_000

export type Direction = 'request' | 'reply'

/** A whole number from 0 to below the limit. */
export type Below = (limit: number) => number

/**
 * Corrupts a message of MongoDB's protocol in what the protocol lets its reader notice: header, flags, kinds of sections, lengths, and types of
 * BSON. Nothing has a checksum, so a changed byte of a value is another true value, to the database as well as to the driver: there is nothing
 * to be noticed, and this leaves values and names as they are.
 */
export function corrupt (message: Buffer, direction: Direction, below: Below): Buffer {
  for (;;) {
    const corrupted = Buffer.from(message)
    ways[below(ways.length)]?.(corrupted, below)
    if (direction === 'request' || !sendsDriverIntoLoop(corrupted)) return corrupted
  }
}

/** Whether what follows on the connection would be read from another place than where it begins. */
export function isOutOfStep (message: Buffer): boolean {
  return message.readInt32LE() !== message.length
}

type Way = (message: Buffer, below: Below) => void

const ways: Way[] = [
  // the length of the message: negative, huge, a little too much, too little, none at all
  (message, below) => message.writeInt32LE([-1 - below(1e6), 0x7fffffff - below(1e6), message.length + 1 + below(64), below(message.length)][below(4)] ?? 0),
  (message, below) => message.writeInt32LE(below(0x7fffffff), 8), // what it answers
  (message, below) => message.writeInt32LE(below(100_000), 12), // opcode
  (message, below) => message.writeUInt32LE(below(2 ** 32), HEADER_BYTES), // flags
  (message, below) => message.writeUInt8(1 + below(255), HEADER_BYTES + 4), // kind of the first section
  (message, below) => {
    const { lengths } = structureOf(message)
    message.writeInt32LE([-1 - below(1e6), 0x7fffffff - below(1e6), below(64)][below(3)] ?? 0, lengths[below(lengths.length)] ?? HEADER_BYTES)
  },
  (message, below) => {
    const { types } = structureOf(message)
    message.writeUInt8(NO_TYPE, types[below(types.length)] ?? HEADER_BYTES + 4)
  }
]

/** Where an OP_MSG has the lengths and the types of its first document and of those in it; of another message nothing. */
function structureOf (message: Buffer): { lengths: number[], types: number[] } {
  const structure = { lengths: [] as number[], types: [] as number[] }
  if (message.length > HEADER_BYTES + 9 && message.readInt32LE(12) === OP_MSG && message[HEADER_BYTES + 4] === 0) walk(message, HEADER_BYTES + 5, structure)
  return structure
}

function walk (message: Buffer, start: number, structure: { lengths: number[], types: number[] }): void {
  structure.lengths.push(start)
  for (const [type, nameOffset, , offset] of onDemand.parseToElements(message, start)) {
    structure.types.push(nameOffset - 1)
    if (type === 2) structure.lengths.push(offset)
    if (type === 3 || type === 4) walk(message, offset, structure)
  }
}

/**
 * Some replies send the driver into a loop that only the end of memory ends, which nothing outside of it can bound (docs/design.md):
 * a message or, in OP_MSG, a document whose length is 0 or negative, and an OP_REPLY (which it takes any other opcode for) of many documents.
 */
function sendsDriverIntoLoop (message: Buffer): boolean {
  for (let start = 0; start + 4 <= message.length;) {
    const length = message.readInt32LE(start)
    if (length === 0) return true
    if (length < 0 || start + length > message.length) break
    if (length >= HEADER_BYTES && isLoop(message.subarray(start, start + length))) return true
    start += length
  }
  return false
}

function isLoop (message: Buffer): boolean {
  const body = message.subarray(HEADER_BYTES)
  if (message.readInt32LE(12) !== OP_MSG) return body.length >= 20 && body.readInt32LE(16) > MAX_RETURNED
  for (let index = 4; index < body.length;) {
    const kind = body[index++]
    if (kind === 1) return false
    if (kind !== 0) continue
    if (index + 4 > body.length) return false
    const length = body.readInt32LE(index)
    if (length <= 0) return true
    index += length
  }
  return false
}
