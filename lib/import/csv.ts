import { parse, type CastingContext, type CsvError } from 'csv-parse'
import { kindOf, type Fields } from '../../schemas/resource.js'
import { NUMBER } from '../query/parse.js'
import { suggestion } from '../options/nearest.js'
import { FileError, type Row } from './row.js'

type Cells = (string | undefined)[]

/** What answers show, and no body has: an export can be imported. */
const IGNORED = ['id', 'etag']

/** What spreadsheets put between columns in some countries. */
const OTHER_DELIMITERS = [';', '\t', '|']

const TOO_LONG = 'CSV_MAX_RECORD_SIZE'

/**
 * The rows of CSV (RFC 4180) with a header that names fields, in any order. A field that is empty is missing; a pair of quotes is the empty text.
 * Throws FileError for a header that names something else, and where the quotes are not right.
 */
export async function * csvRows (source: AsyncIterable<Buffer>, maxBytes: number, fields: Fields): AsyncGenerator<Row> {
  let columns: Column[] | undefined
  // the parser's own count takes CRLF in quotes for two lines
  let line = 1
  let row = 0
  for await (const { records, error } of pieces(source, maxBytes, fields)) {
    for (const record of records) {
      if (!isEmptyLine(record)) {
        if (!columns) columns = columnsOf(record, line, fields)
        else yield { line, row: ++row, ...toRow(record, columns) }
      }
      line += linesOf(record)
    }
    if (error) throw toFileError(error, line, maxBytes)
  }
}

/** The records of each piece of the source. They are taken as the parser finds them: what it has in its stream is lost where it meets an error. */
async function * pieces (source: AsyncIterable<Buffer>, maxBytes: number, fields: Fields): AsyncGenerator<{ records: Cells[], error?: CsvError }> {
  let records: Cells[] = []
  const parser = parse({
    bom: true,
    max_record_size: maxBytes,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    on_record: (record) => { records.push(record) },
    ...takesEmptyText(fields) && { cast: withoutEmpty }
  })
  // each write is told its own error
  parser.on('error', () => {})
  const take = (error: Error | null | undefined) => {
    const taken = { records, ...error && { error: error as CsvError } } // the parser throws nothing else
    records = []
    return taken
  }
  let broken: unknown
  try {
    for await (const chunk of source) yield take(await new Promise<Error | null | undefined>((resolve) => parser.write(chunk, resolve)))
  } catch (error) {
    // the lines before it are whole
    if (!(error instanceof FileError)) throw error
    broken = error
  }
  yield take(await new Promise<Error | null | undefined>((resolve) => parser.end(resolve)))
  if (broken) throw broken
}

/** Whether a pair of quotes is a value somewhere. To tell it from nothing costs the parser several times as much. */
function takesEmptyText (fields: Fields): boolean {
  return Object.values(fields).some((field) => kindOf(field) === 'text' && !(field.minLength >= 1))
}

function withoutEmpty (text: string, { quoting }: CastingContext): string | undefined {
  return text === '' && !quoting ? undefined : text
}

function isEmptyLine ([first, ...more]: Cells): boolean {
  return more.length === 0 && (first === undefined || first === '')
}

interface Column {
  name: string
  /** Whether the empty text is a value of some field, and cells without one are undefined. */
  takesEmpty: boolean
  /** From the text of a cell to a value of the field, where there is one. */
  valueOf: (text: string) => unknown
}

function columnsOf (header: Cells, line: number, fields: Fields): Column[] {
  const names = header.map((name = '') => name.trim())
  const known = [...Object.keys(fields), ...IGNORED]
  const [only = ''] = names
  const delimiter = names.length === 1 && OTHER_DELIMITERS.find((other) => only.includes(other))
  if (delimiter) throw new FileError(line, `has columns with ${JSON.stringify(delimiter)} between them, which must be commas`)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new FileError(line, `has an unknown column ${JSON.stringify(unknown)}${suggestion(unknown, known) || `; there are ${known.join(', ')}`}`)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new FileError(line, `has the column ${JSON.stringify(twice)} twice`)
  const takesEmpty = takesEmptyText(fields)
  return names.map((name) => ({ name, takesEmpty, valueOf: fields[name] ? conversionOf(kindOf(fields[name])) : () => undefined }))
}

/** What is not of the type stays text, which the validation then refuses. */
function conversionOf (kind: ReturnType<typeof kindOf>): Column['valueOf'] {
  switch (kind) {
    case 'number':
    case 'integer':
      return (text) => NUMBER.test(text) ? Number(text) : text
    case 'boolean':
      return (text) => text === 'true' || (text === 'false' ? false : text)
    default:
      return (text) => text
  }
}

function toRow (record: Cells, columns: Column[]): Pick<Row, 'text' | 'value' | 'fault'> {
  const text = JSON.stringify(record)
  if (record.length !== columns.length) return { text, fault: `must have ${columns.length} columns, and has ${record.length}` }
  const value: Record<string, unknown> = {}
  for (const [index, { name, takesEmpty, valueOf }] of columns.entries()) {
    const cell = record[index]
    const known = cell === undefined || (cell === '' && !takesEmpty) ? undefined : valueOf(cell)
    if (known !== undefined) value[name] = known
  }
  return { text, value }
}

/** How many lines a record takes. */
function linesOf (record: Cells): number {
  let lines = 1
  for (const cell of record) if (cell?.includes('\n')) lines += cell.split('\n').length - 1
  return lines
}

/** @param line where the record begins */
function toFileError ({ code, message }: CsvError, line: number, maxBytes: number): FileError {
  if (code === TOO_LONG) return new FileError(line, `must not be longer than ${maxBytes} bytes`)
  return new FileError(line, `cannot be read as CSV: ${message.replace(/ at line \d+/, '')}`)
}
