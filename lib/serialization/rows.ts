import { compileDocument, type DocumentReader } from './bson-json.js'
import { CsvBytes } from './csv-bytes.js'
import { JsonBytes } from './json-bytes.js'
import type { JsonSchema } from './json-schema.js'

/** Records as the rows of a file. */
export interface Rows {
  /** What stands before the first row. */
  head: string
  /** The rows of stored documents. */
  ofDocuments (documents: readonly Buffer[]): Buffer
  /** The rows of records that are objects. */
  ofRecords (records: readonly object[]): Buffer
}

export interface RowOptions {
  /** The fields to show, where not all are; `etag` adds the tag of each record. */
  fields?: readonly string[]
  /** The tag of a record, from its whole JSON. */
  tagOf: (json: string | Buffer) => string
}

export interface CsvOptions extends RowOptions {
  /** Whether it is for a spreadsheet: with a byte order mark, and with formulas defused. */
  isExcel: boolean
}

/** With it a spreadsheet reads UTF-8. */
const BYTE_ORDER_MARK = '\ufeff'

/** Compiles the schema of a record once, for all files. Throws a TypeError for one that cannot be written from bytes. */
export class RowCompiler {
  #reader: DocumentReader
  #names: string[]
  #json = new JsonBytes()

  constructor (schema: JsonSchema) {
    const reader = compileDocument(schema)
    if (!reader) throw new TypeError('a schema cannot be written as rows')
    this.#reader = reader
    // it has properties, as it compiled
    this.#names = Object.entries(schema.properties as object as Record<string, JsonSchema>).filter(([, property]) => !property['x-computed']).map(([name]) => name)
  }

  /** One JSON object a line. */
  ndjson (options: RowOptions): Rows {
    const only = onlyOf(options)
    const json = new JsonBytes()
    return {
      head: '',
      ofDocuments: (documents) => {
        json.clear()
        for (const bson of documents) {
          this.#reader.write(bson, json, only)
          if (hasTags(options)) this.#endWithTag(bson, json, options)
          json.ascii('\n')
        }
        return json.copy()
      },
      ofRecords: (records) => Buffer.from(records.map((record) => `${JSON.stringify(this.#pick(record, options))}\n`).join(''))
    }
  }

  /** RFC 4180, with a header. */
  csv (options: CsvOptions): Rows {
    const only = onlyOf(options)
    const csv = new CsvBytes(options.isExcel)
    const columns = [...this.#names.filter((name) => only?.has(name) ?? true), ...hasTags(options) ? ['etag'] : []]
    return {
      head: `${options.isExcel ? BYTE_ORDER_MARK : ''}${columns.join(',')}\r\n`,
      ofDocuments: (documents) => {
        csv.clear()
        for (const bson of documents) {
          this.#reader.writeCells(bson, csv, only)
          if (hasTags(options)) {
            csv.ascii(',')
            csv.string(this.#tagOf(bson, options))
          }
          csv.ascii('\r\n')
        }
        return csv.copy()
      },
      ofRecords: (records) => {
        csv.clear()
        for (const record of records) writeCells(csv, columns, this.#pick(record, options))
        return csv.copy()
      }
    }
  }

  #endWithTag (bson: Buffer, json: JsonBytes, options: RowOptions): void {
    json.truncate(json.length - 1)
    json.ascii(',"etag":')
    json.string(this.#tagOf(bson, options))
    json.ascii('}')
  }

  #tagOf (bson: Buffer, { tagOf }: RowOptions): string {
    this.#json.clear()
    this.#reader.write(bson, this.#json)
    return tagOf(this.#json.take())
  }

  /** The fields to show of an object, in their order. */
  #pick (record: object, options: RowOptions): Record<string, unknown> {
    const only = onlyOf(options)
    const values = record as Record<string, unknown> // by a name its value is unknown
    const whole = Object.fromEntries(this.#names.flatMap((name) => values[name] === undefined ? [] : [[name, values[name]]]))
    const shown = only ? Object.fromEntries(Object.entries(whole).filter(([name]) => only.has(name))) : whole
    return hasTags(options) ? { ...shown, etag: options.tagOf(JSON.stringify(whole)) } : shown
  }
}

/** A record as a file of CSV, with a header. */
export function csvOf (record: object): string {
  const csv = new CsvBytes(false)
  const columns = Object.keys(record)
  writeCells(csv, columns, { ...record })
  return `${columns.join(',')}\r\n${csv.copy().toString()}`
}

function writeCells (csv: CsvBytes, columns: readonly string[], record: Record<string, unknown>): void {
  for (const [index, column] of columns.entries()) {
    if (index > 0) csv.ascii(',')
    const value = record[column]
    if (typeof value === 'string') csv.string(value)
    else if (value !== undefined && value !== null) csv.ascii(String(value))
  }
  csv.ascii('\r\n')
}

function onlyOf ({ fields }: RowOptions): ReadonlySet<string> | undefined {
  return fields && new Set(['id', ...fields])
}

function hasTags ({ fields }: RowOptions): boolean {
  return fields?.includes('etag') === true
}
