import { Decimal128 } from 'bson'
import { bsonTypes, decode, type BsonElement } from './bson.js'
import type { JsonSchema } from './json-schema.js'
import type { ValueSink } from './value-sink.js'

/** How a stored value is shown, by a schema: as text in a format, or as a value of JavaScript. The two agree. */
export interface ValueReader {
  /** Writes the value, if it fits; otherwise answers false. */
  write (bson: Buffer, element: BsonElement, sink: ValueSink): boolean
  /** The value, if it fits; otherwise undefined. */
  read (bson: Buffer, element: BsonElement): unknown
}

const string: ValueReader = {
  write (bson, [type, , , offset, length], sink) {
    if (type !== bsonTypes.string && type !== bsonTypes.symbol) return false
    sink.utf8(bson, offset + 4, offset + length - 1)
    return true
  },
  read: textAt
}

/** A number is written as JSON.stringify writes it, which no format quotes. */
const number: ValueReader = {
  write (bson, element, sink) {
    const value = numberAt(bson, element)
    if (!Number.isFinite(value)) return false
    sink.ascii(String(value))
    return true
  },
  read (bson, element) {
    const value = numberAt(bson, element)
    return Number.isFinite(value) ? value : undefined
  }
}

/** A whole number, whatever type of number it is stored as. */
const integer: ValueReader = {
  write: (bson, element, sink) => Number.isInteger(numberAt(bson, element)) && number.write(bson, element, sink),
  read (bson, element) {
    const value = numberAt(bson, element)
    return Number.isInteger(value) ? value : undefined
  }
}

const boolean: ValueReader = {
  write (bson, [type, , , offset], sink) {
    if (type !== bsonTypes.boolean) return false
    sink.ascii(String(bson[offset] === 1))
    return true
  },
  read: (bson, [type, , , offset]) => type === bsonTypes.boolean ? bson[offset] === 1 : undefined
}

/** As Date.prototype.toJSON writes it; a date beyond its range does not fit. */
const dateTime: ValueReader = {
  write (bson, element, sink) {
    const text = dateAt(bson, element)
    if (text === undefined) return false
    sink.string(text)
    return true
  },
  read: dateAt
}

/** By type and format. */
const readers: ReadonlyMap<string, ValueReader> = new Map([
  ['string', string], ['string date-time', dateTime], ['number', number], ['integer', integer], ['boolean', boolean]
])

/** A required string, which most often is an id: it is as text whatever it is. */
export function anyText (name: string): ValueReader {
  return {
    write (bson, element, sink) {
      const [type, , , offset, length] = element
      if (type === bsonTypes.objectId) sink.hex(bson, offset, offset + length)
      else if (!string.write(bson, element, sink)) sink.string(uuidAt(bson, element) ?? String(decode(bson)[name]))
      return true
    },
    read (bson, element) {
      const [type, , , offset, length] = element
      if (type === bsonTypes.objectId) return bson.toString('hex', offset, offset + length)
      return textAt(bson, element) ?? uuidAt(bson, element) ?? String(decode(bson)[name])
    }
  }
}

/** The text of a UUID: binary of subtype 4 and 16 bytes, which stand behind their length and the subtype (bsonspec.org). */
export function uuidAt (bson: Buffer, [type, , , offset, length]: BsonElement): string | undefined {
  if (type !== bsonTypes.binary || length !== 21 || bson[offset + 4] !== 4) return undefined
  return bson.toString('hex', offset + 5, offset + length).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Reads values of this type; undefined for one that is not known here. */
export function readerOf ({ type, format, enum: values }: JsonSchema): ValueReader | undefined {
  const [first, ...others] = [type].flat()
  const reader = readers.get([first, format].filter(Boolean).join(' '))
  if (!reader || others.some((other) => other !== 'null')) return undefined
  const known = values ? oneOf(reader, values) : reader
  return others.length > 0 ? orNull(known) : known
}

function oneOf ({ write, read }: ValueReader, values: readonly unknown[]): ValueReader {
  const known = new Set(values)
  return {
    write: (bson, element, sink) => known.has(read(bson, element)) && write(bson, element, sink),
    read (bson, element) {
      const value = read(bson, element)
      return known.has(value) ? value : undefined
    }
  }
}

/** The same, but a stored null is shown as null. */
export function orNull ({ write, read }: ValueReader): ValueReader {
  return {
    write (bson, element, sink) {
      if (element[0] !== bsonTypes.null) return write(bson, element, sink)
      sink.null()
      return true
    },
    read: (bson, element) => element[0] === bsonTypes.null ? null : read(bson, element)
  }
}

/** Undefined for a value that is not text. */
export function textAt (bson: Buffer, [type, , , offset, length]: BsonElement): string | undefined {
  if (type !== bsonTypes.string && type !== bsonTypes.symbol) return undefined
  return bson.toString('utf8', offset + 4, offset + length - 1)
}

/** NaN for a value that is not a number. */
function numberAt (bson: Buffer, [type, , , offset, length]: BsonElement): number {
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

function dateAt (bson: Buffer, [type, , , offset]: BsonElement): string | undefined {
  const date = new Date(type === bsonTypes.date ? Number(bson.readBigInt64LE(offset)) : NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
