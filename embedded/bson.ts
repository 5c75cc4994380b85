import { onDemand } from 'bson'
import { MongoError } from './errors.js'

/** BSON's element types (bsonspec.org, version 1.1) that this store has to tell apart. */
export const types = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  minKey: 0xff,
  maxKey: 0x7f
} as const

/** MongoDB's documented limit: "no more than 100 levels of nesting". */
export const maxDepth = 100
export const maxDocumentBytes = 16 * 1024 * 1024
/** Elements of one document or array: more than any batch has, and few enough to be handled as objects. */
export const maxElements = 200_000
export const noDocument = documentOf([])

/** One element of a document. `value` is a view on the document's bytes, not a copy. */
export interface Field {
  name: string
  type: number
  value: Buffer
}

/** The elements of a document or array, one level deep: values stay bytes, so no type is ever lost. */
export function fieldsOf (document: Buffer): Field[] {
  const fields: Field[] = []
  for (const [type, nameOffset, nameLength, offset, length] of onDemand.parseToElements(document)) {
    fields.push({
      name: document.toString('utf8', nameOffset, nameOffset + nameLength),
      type,
      value: document.subarray(offset, offset + length)
    })
  }
  return fields
}

/** The field of a stored document that has this name; of several the first. */
export function fieldNamed (document: Buffer, name: string): Field | undefined {
  const end = document.length - 1
  for (let at = 4; at < end;) {
    const value = afterText(document, { start: at + 1, end })
    const after = afterValue(document, document[at], { start: value, end })
    if (document.toString('utf8', at + 1, value - 1) === name) return { name, type: Number(document[at]), value: document.subarray(value, after) }
    at = after
  }
  return undefined
}

/** The first field of a document that has one, as a stored one has its `_id`. */
export function firstField (document: Buffer): Field {
  return fieldsOf(document)[0] as Field
}

/** The document with no other fields than these, in its own order: itself where it has no others. The names end with a zero byte. */
export function keep (document: Buffer, names: readonly Buffer[]): Buffer {
  const end = document.length - 1
  const kept: Buffer[] = []
  let next = 0
  // where what is kept, and not yet among those, begins
  let from = 4
  for (let at = 4; at < end;) {
    const value = afterText(document, { start: at + 1, end })
    const after = afterValue(document, document[at], { start: value, end })
    // most documents have their fields in the order in which they are asked for
    const place = isAt(document, at + 1, value, names[next]) ? next : names.findIndex(other => isAt(document, at + 1, value, other))
    if (place === -1) {
      if (at > from) kept.push(document.subarray(from, at))
      from = after
    }
    next = place + 1
    at = after
  }
  return from === 4 && kept.length === 0 ? document : joined([...kept, document.subarray(from, end)])
}

/** Whether these bytes are between the two places. */
function isAt (document: Buffer, start: number, end: number, bytes: Buffer | undefined): boolean {
  if (bytes?.length !== end - start) return false
  for (let i = 0; i < bytes.length; i++) if (document[start + i] !== bytes[i]) return false
  return true
}

/** The document of these fields. */
export function documentOf (fields: Field[]): Buffer {
  return joined(fields.flatMap(({ type, name, value }) => [header(type, name), value]))
}

/** A document with one more field at its end. */
export function append (document: Uint8Array, type: number, name: string, value: Uint8Array): Buffer {
  return joined([document.subarray(4, -1), header(type, name), value])
}

/** A BSON array of documents. */
export function arrayOf (documents: Buffer[]): Buffer {
  const bytes = documents.reduce((sum, { length }, index) => sum + 2 + String(index).length + length, 5)
  const array = Buffer.alloc(bytes)
  let at = array.writeInt32LE(bytes)
  for (const [index, document] of documents.entries()) {
    const name = String(index)
    array[at++] = types.object
    // digits one by one: for so few, Buffer.write takes longer
    for (let place = 0; place < name.length; place++) array[at++] = name.charCodeAt(place)
    array.set(document, ++at)
    at += document.length
  }
  return array
}

/** What stands before the value of an element. */
function header (type: number, name: string): Buffer {
  return Buffer.from(`\0${name}\0`).fill(type, 0, 1)
}

function joined (parts: Uint8Array[]): Buffer {
  const document = Buffer.concat([Buffer.alloc(4), ...parts, Buffer.alloc(1)])
  document.writeInt32LE(document.length)
  return document
}

/** Text of a string, symbol or code value. */
export function text (value: Buffer): string {
  return value.toString('utf8', 4, value.length - 1)
}

/** Bytes of the values whose type says how long they are. */
const fixedBytes = new Map<number, number>([
  [types.double, 8], [types.undefined, 0], [types.objectId, 12], [types.boolean, 1], [types.date, 8], [types.null, 0], [types.int32, 4],
  [types.timestamp, 8], [types.int64, 8], [types.decimal128, 16], [types.minKey, 0], [types.maxKey, 0]
])

/**
 * Refuses bytes that a client could not read back, since documents are stored as they come: every length bounded, every string terminated,
 * every type known, at most `depth` levels. Nothing is kept of what it reads: an element may be 2 bytes long, and its Field takes a hundred times as many.
 */
export function validate (document: Buffer, depth: number): void {
  validateLevel(document, { start: 0, end: document.length }, depth)
}

/** Where a document or a value stands: `end` is the offset after it. */
interface Span {
  start: number
  end: number
}

function validateLevel (bytes: Buffer, { start, end }: Span, depth: number): void {
  if (depth < 0) throw new MongoError('Overflow', `BSON nesting exceeds ${maxDepth} levels`)
  if (end - start < 5 || bytes.readInt32LE(start) !== end - start || bytes[end - 1] !== 0) throw invalid('a document has the wrong length')
  let elements = 0
  for (let at = start + 4; at < end - 1;) {
    if (++elements > maxElements) throw new MongoError('CommandNotSupported', `The embedded store takes at most ${maxElements} elements in a document or array`)
    const type = bytes[at]
    const value = afterText(bytes, { start: at + 1, end: end - 1 })
    at = afterValue(bytes, type, { start: value, end: end - 1 })
    if (at > end - 1) throw invalid('a value reaches over the end of its document')
    if (type === types.object || type === types.array) validateLevel(bytes, { start: value, end: at }, depth - 1)
  }
}

/** The offset after a value that starts in this span and has to end there. */
function afterValue (bytes: Buffer, type: number | undefined, span: Span): number {
  const { start } = span
  switch (type) {
    case types.object:
    case types.array:
      return start + lengthAt(bytes, span, 5)
    case types.string:
    case types.symbol:
    case types.code:
      return afterString(bytes, span)
    case types.binary:
      return start + 5 + lengthAt(bytes, span, 0)
    case types.regex:
      return afterText(bytes, { start: afterText(bytes, span), end: span.end })
    case types.boolean:
      if (Number(bytes[start]) > 1) throw invalid('a boolean is neither 0 nor 1')
  }
  const length = fixedBytes.get(Number(type))
  // DBPointer and JavaScript with scope are deprecated and sent by no driver of today: their inner structure is not worth checking.
  if (length === undefined) throw invalid(`the type ${type} is unknown or not supported`)
  return start + length
}

/** The length at the start of a value. */
function lengthAt (bytes: Buffer, { start, end }: Span, least: number): number {
  const length = start + 4 > end ? -1 : bytes.readInt32LE(start)
  if (length < least) throw invalid('a value has an impossible length')
  return length
}

function afterString (bytes: Buffer, span: Span): number {
  const after = span.start + 4 + lengthAt(bytes, span, 1)
  if (after <= span.end && bytes[after - 1] !== 0) throw invalid('a string is not terminated')
  return after
}

/** The offset after text that ends with a zero byte. */
function afterText (bytes: Buffer, { start, end }: Span): number {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return at + 1
  throw invalid('a name or an expression is not terminated')
}

function invalid (message: string): MongoError {
  return new MongoError('InvalidBSON', `Invalid BSON: ${message}`)
}
