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
  return joined(documents.flatMap((document, index) => [header(types.object, String(index)), document]))
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

/**
 * Refuses bytes that a client could not read back, since documents are stored as they come:
 * every length bounded, every string terminated, every type known, at most `depth` levels.
 */
export function validate (document: Buffer, depth: number): void {
  if (depth < 0) throw new MongoError('Overflow', `BSON nesting exceeds ${maxDepth} levels`)
  if (document.length < 5 || document.readInt32LE() !== document.length) throw invalid('a document has the wrong length')
  for (const { type, value } of elementsOf(document)) validateValue(type, value, depth)
}

function elementsOf (document: Buffer): Field[] {
  try {
    return fieldsOf(document)
  } catch (error) {
    throw invalid(String(error))
  }
}

function validateValue (type: number, value: Buffer, depth: number): void {
  switch (type) {
    case types.object:
    case types.array:
      return validate(value, depth - 1)
    case types.string:
    case types.symbol:
    case types.code:
      return validateString(value)
    case types.boolean:
      if (value[0] !== 0 && value[0] !== 1) throw invalid('a boolean is neither 0 nor 1')
      return
    case types.codeWithScope:
    case types.dbPointer:
      // Deprecated in BSON and sent by no driver of today: their inner structure is not worth checking, so they are not taken.
      throw invalid('the deprecated types DBPointer and JavaScript with scope are not supported')
  }
}

function validateString (value: Buffer): void {
  if (value.length < 5 || value[value.length - 1] !== 0) throw invalid('a string is not terminated')
}

function invalid (message: string): MongoError {
  return new MongoError('InvalidBSON', `Invalid BSON: ${message}`)
}
