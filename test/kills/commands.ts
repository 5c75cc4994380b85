/** The steps of a request with a key, by the command that the server sends to its database for each. */
export const steps = ['key reserved', 'student inserted', 'key done'] as const

export type Step = typeof steps[number]

export const KEYS = 'idempotency_keys'
export const STUDENTS = 'students'

/** Where the process ends: before the command is written to the socket, after that, or once its reply came. */
export const moments = ['before it', 'written', 'replied'] as const

export type Moment = typeof moments[number]

/** What a server is told about its end, as JSON in the variable KILL_AT. */
export interface KillAt {
  step: Step
  moment: Moment
  /** Which of the commands of that step it is, from 1. */
  nth: number
  /** How long a written command has before the end, in milliseconds. */
  pauseMs: number
}

/** OP_MSG: a header of 16 bytes, flags, the kind of the first section, and the command as BSON. */
const OP_MSG = 2013
const OPCODE_AT = 12
const DOCUMENT_AT = 21

/** Of BSON: the length of the document, and the type of its first element, whose name is that of the command. */
const NAME_AT = DOCUMENT_AT + 5

/** An element of BSON: a boolean that is true. */
const IS_DONE = '\x08is_done\0\x01'

/** The step that a message to the database makes, if it makes one. */
export function stepOf (bytes: Uint8Array): Step | undefined {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (message.length <= NAME_AT || message.readInt32LE(OPCODE_AT) !== OP_MSG) return undefined
  const text = message.toString('latin1')
  const end = text.indexOf('\0', NAME_AT)
  const name = text.slice(NAME_AT, end)
  if (name !== 'insert') return text.includes(KEYS) && text.includes(IS_DONE) ? 'key done' : undefined
  // a text of BSON stands behind its length
  const value = text.slice(end + 5, text.indexOf('\0', end + 5))
  return value === KEYS ? 'key reserved' : value === STUDENTS ? 'student inserted' : undefined
}
