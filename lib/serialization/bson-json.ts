import { Decimal128 } from 'bson'
import { bsonTypes, decode, elementsOf, isNamed, type BsonElement } from './bson.js'
import type { JsonBytes } from './json-bytes.js'

/** What is read of a schema, which is a part of JSON Schema. */
export interface JsonSchema {
  type?: string | string[]
  format?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  /** The name that a property has in BSON, where it is another one. */
  'x-bson'?: string
}

/**
 * Writes a BSON document as JSON; its elements, where they are known already, need not be found again.
 * Throws on bytes that are no BSON, and where a required field that is no string is not there.
 */
export type WriteDocument = (bson: Buffer, json: JsonBytes, elements?: readonly BsonElement[]) => void

/** Writes the value, if it fits; else answers false. */
type WriteValue = (bson: Buffer, element: BsonElement, json: JsonBytes) => boolean

interface Field {
  name: Buffer
  key: string
  isRequired: boolean
  write: WriteValue
}

/** Stands for a field that the document lacks: no type of BSON is 0. */
const MISSING: BsonElement = [0, 0, 0, 0, 0]

/** Of other keywords it is not known what they make of a value. */
const knownKeywords = new Set(['type', 'format', 'properties', 'required', 'title', 'description', 'examples', 'x-bson'])

/** By type and format. */
const writers: ReadonlyMap<string, WriteValue> = new Map([
  ['string', writeString], ['string date-time', writeDate], ['number', writeNumber], ['boolean', writeBoolean]
])

/**
 * Compiles the schema of an object to a function that writes raw BSON as its JSON: the schema's fields in its order and
 * with its names. A field that is missing or whose stored type is not the schema's is left out; a required string is
 * whatever is stored, as text. Answers undefined for a schema that has more in it than is known here.
 */
export function compileDocument (schema: JsonSchema): WriteDocument | undefined {
  const { type, properties, required = [] } = schema
  if (type !== 'object' || !properties || !isKnown(schema)) return undefined
  const fields = Object.entries(properties).map(([name, property]) => compileField(name, property, required.includes(name)))
  return fields.every((field) => field !== undefined) ? documentWriter(fields) : undefined
}

function compileField (name: string, schema: JsonSchema, isRequired: boolean): Field | undefined {
  const [type, ...others] = [schema.type].flat()
  const written = writers.get([type, schema.format].filter(Boolean).join(' '))
  if (!written || others.some((other) => other !== 'null') || !isKnown(schema) || !/^[ -~]*$/.test(name)) return undefined
  const stored = schema['x-bson'] ?? name
  const write = isRequired && written === writeString ? textWriter(stored) : written
  return {
    name: Buffer.from(stored),
    key: `,${JSON.stringify(name)}:`,
    isRequired,
    write: others.length > 0 ? orNull(write) : write
  }
}

function isKnown (schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => knownKeywords.has(keyword))
}

function documentWriter (fields: Field[]): WriteDocument {
  const found: (BsonElement | undefined)[] = []
  return (bson, json, elements = elementsOf(bson)) => {
    found.length = 0
    for (const element of elements) {
      const index = fields.findIndex(({ name }) => isNamed(bson, element, name))
      // of a field that stands twice the last one counts
      if (index !== -1) found[index] = element
    }
    json.ascii('{')
    const start = json.length
    for (const [index, field] of fields.entries()) writeField(field, bson, found[index], json, start)
    json.ascii('}')
  }
}

function writeField ({ key, isRequired, write }: Field, bson: Buffer, element: BsonElement | undefined, json: JsonBytes, start: number): void {
  const before = json.length
  json.ascii(before === start ? key.slice(1) : key)
  if (write(bson, element ?? MISSING, json)) return
  if (isRequired) throw new TypeError(`a stored document has no ${key.slice(1, -1)} that fits`)
  json.truncate(before)
}

function orNull (write: WriteValue): WriteValue {
  return (bson, element, json) => {
    if (element[0] !== bsonTypes.null) return write(bson, element, json)
    json.ascii('null')
    return true
  }
}

function writeString (bson: Buffer, [type, , , offset, length]: BsonElement, json: JsonBytes): boolean {
  if (type !== bsonTypes.string && type !== bsonTypes.symbol) return false
  json.utf8(bson, offset + 4, offset + length - 1)
  return true
}

/** For a required string, which most often is an id: it is as text whatever it is. */
function textWriter (name: string): WriteValue {
  return (bson, element, json) => {
    const [type, , , offset, length] = element
    if (type === bsonTypes.objectId) json.hex(bson, offset, offset + length)
    else if (!writeString(bson, element, json)) json.string(String(decode(bson)[name]))
    return true
  }
}

/** A number is written as JSON.stringify writes it. */
function writeNumber (bson: Buffer, element: BsonElement, json: JsonBytes): boolean {
  const number = numberAt(bson, element)
  if (!Number.isFinite(number)) return false
  json.ascii(String(number))
  return true
}

/** NaN for a value that is none of BSON's numbers. */
export function numberAt (bson: Buffer, [type, , , offset, length]: BsonElement): number {
  switch (type) {
    case bsonTypes.double:
      return bson.readDoubleLE(offset)
    case bsonTypes.int32:
      return bson.readInt32LE(offset)
    case bsonTypes.int64:
      return Number(bson.readBigInt64LE(offset))
    case bsonTypes.decimal128:
      return Number(new Decimal128(bson.subarray(offset, offset + length)).toString())
    default:
      return NaN
  }
}

function writeBoolean (bson: Buffer, [type, , , offset]: BsonElement, json: JsonBytes): boolean {
  if (type !== bsonTypes.boolean) return false
  json.ascii(String(bson[offset] === 1))
  return true
}

/** As Date.prototype.toJSON writes it; a date beyond its range does not fit. */
function writeDate (bson: Buffer, [type, , , offset]: BsonElement, json: JsonBytes): boolean {
  const date = new Date(type === bsonTypes.date ? Number(bson.readBigInt64LE(offset)) : NaN)
  if (Number.isNaN(date.getTime())) return false
  json.string(date.toISOString())
  return true
}
