import { elementsOf, isNamed, locateInOrder, type BsonElement } from './bson.js'
import { anyText, orNull, readerOf, type ValueReader } from './bson-values.js'
import type { CsvBytes } from './csv-bytes.js'
import type { JsonBytes } from './json-bytes.js'
import type { JsonSchema } from './json-schema.js'

/** How a schema shows a document: the schema's fields in its order and with its names. */
export interface DocumentReader {
  /**
   * Writes a BSON document as JSON; `only` names the fields to show, where not all are.
   * Throws on bytes that are not BSON, and where a required field that is not a string is missing.
   */
  write (bson: Buffer, json: JsonBytes, only?: ReadonlySet<string>): void
  /** Writes the fields as cells with commas between them; one that the document lacks is empty. */
  writeCells (bson: Buffer, csv: CsvBytes, only?: ReadonlySet<string>): void
  /** The same as an object. */
  read (bson: Buffer, only?: ReadonlySet<string>): Record<string, unknown>
}

interface Field extends ValueReader {
  property: string
  name: Buffer
  key: string
  isRequired: boolean
}

/** Stands for a field that the document lacks: no type of BSON is 0. */
const MISSING: BsonElement = [0, 0, 0, 0, 0]

/** Of other keywords it is not known what they make of a value. */
const knownKeywords = new Set(['type', 'format', 'enum', 'properties', 'required', 'title', 'description', 'examples', 'x-bson'])

/**
 * Compiles the schema of an object to functions that show raw BSON by it. A field that is missing or whose stored type is not
 * the schema's is left out; a required string is whatever is stored, as text; of a field that occurs twice the last one counts.
 * Answers undefined for a schema that has more in it than is known here.
 */
export function compileDocument (schema: JsonSchema): DocumentReader | undefined {
  const { type, properties, required = [] } = schema
  if (type !== 'object' || !properties || !isKnown(schema)) return undefined
  const fields = Object.entries(properties).filter(([, property]) => !property['x-computed']).map(([name, property]) => compileField(name, property, required.includes(name)))
  return fields.every((field) => field !== undefined) ? documentReader(fields) : undefined
}

function compileField (property: string, schema: JsonSchema, isRequired: boolean): Field | undefined {
  const reader = readerOf(schema)
  if (!reader || !isKnown(schema) || !/^[ -~]*$/.test(property)) return undefined
  const stored = schema['x-bson'] ?? property
  return {
    ...(isRequired ? required(reader, stored, schema) : reader),
    property,
    name: Buffer.from(stored),
    key: `,${JSON.stringify(property)}:`,
    isRequired
  }
}

function required (reader: ValueReader, stored: string, { type, format, enum: values }: JsonSchema): ValueReader {
  const [first, ...others] = [type].flat()
  if (first !== 'string' || format || values) return reader
  return others.length > 0 ? orNull(anyText(stored)) : anyText(stored)
}

function isKnown (schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => knownKeywords.has(keyword))
}

function documentReader (fields: Field[]): DocumentReader {
  const names = fields.map(({ name }) => name)
  const places = fields.map((): BsonElement => [0, 0, 0, 0, 0])
  const found: (BsonElement | undefined)[] = []
  const find = (bson: Buffer) => {
    found.length = 0
    // as we store them: that is several times faster
    if (locateInOrder(bson, names, places, found)) return
    found.length = 0
    for (const element of elementsOf(bson)) {
      const index = fields.findIndex(({ name }) => isNamed(bson, element, name))
      if (index !== -1) found[index] = element
    }
  }
  return {
    write (bson, json, only) {
      find(bson)
      json.ascii('{')
      const start = json.length
      for (const [index, field] of fields.entries()) if (!only || only.has(field.property)) writeField(field, bson, found[index], json, start)
      json.ascii('}')
    },
    writeCells (bson, csv, only) {
      find(bson)
      let isFirst = true
      for (const [index, { property, write }] of fields.entries()) {
        if (only && !only.has(property)) continue
        if (!isFirst) csv.ascii(',')
        isFirst = false
        write(bson, found[index] ?? MISSING, csv)
      }
    },
    read (bson, only) {
      find(bson)
      const object: Record<string, unknown> = {}
      for (const [index, { property, read }] of fields.entries()) {
        if (only && !only.has(property)) continue
        const value = read(bson, found[index] ?? MISSING)
        // JSON has no undefined, so no copy of the object should show one
        if (value !== undefined) object[property] = value
      }
      return object
    }
  }
}

function writeField ({ key, isRequired, write }: Field, bson: Buffer, element: BsonElement | undefined, json: JsonBytes, start: number): void {
  const before = json.length
  json.ascii(before === start ? key.slice(1) : key)
  if (write(bson, element ?? MISSING, json)) return
  if (isRequired) throw new TypeError(`a stored document has no ${key.slice(1, -1)} that fits`)
  json.truncate(before)
}
