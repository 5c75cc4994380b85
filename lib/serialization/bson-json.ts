import { elementsOf, isNamed, type BsonElement } from './bson.js'
import { anyText, orNull, readerOf, type ValueReader } from './bson-values.js'
import type { JsonBytes } from './json-bytes.js'
import type { JsonSchema } from './json-schema.js'

/** How a schema shows a document: the schema's fields in its order and with its names. */
export interface DocumentReader {
  /**
   * Writes a BSON document as JSON; its elements, where they are known already, need not be found again,
   * and `only` names the fields to show, where not all are.
   * Throws on bytes that are not BSON, and where a required field that is not a string is missing.
   */
  write (bson: Buffer, json: JsonBytes, elements?: readonly BsonElement[], only?: ReadonlySet<string>): void
  /** The same as an object. */
  read (bson: Buffer, elements?: readonly BsonElement[], only?: ReadonlySet<string>): Record<string, unknown>
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
  const found: (BsonElement | undefined)[] = []
  const find = (bson: Buffer, elements: readonly BsonElement[]) => {
    found.length = 0
    for (const element of elements) {
      const index = fields.findIndex(({ name }) => isNamed(bson, element, name))
      if (index !== -1) found[index] = element
    }
  }
  return {
    write (bson, json, elements = elementsOf(bson), only) {
      find(bson, elements)
      json.ascii('{')
      const start = json.length
      for (const [index, field] of fields.entries()) if (!only || only.has(field.property)) writeField(field, bson, found[index], json, start)
      json.ascii('}')
    },
    read (bson, elements = elementsOf(bson), only) {
      find(bson, elements)
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
