import type { Below } from '../chaos/corruption.js'

export const formats = ['NDJSON', 'CSV'] as const

export type Format = typeof formats[number]

const TYPES = { NDJSON: 'application/x-ndjson', CSV: 'text/csv' }

/** One row in so many is refused, and one has a name that is hard to write down. */
const FAULTY = 1_000
const HARD = 50

const HARD_NAMES = ['Doe, Jane', 'Jane "J" Doe', 'Jane\nDoe', 'Zoë 漢字', ' Jane ']

/** A file for an import, with what has to become of it. */
export interface RowFile {
  key: string
  type: string
  /** What its students have in common. */
  course: string
  bytes: Buffer
  rows: number
  /** The emails of the rows that are valid. */
  valid: Set<string>
  /** The rows that are not, from 1. */
  faulty: number[]
}

type Values = Record<'name' | 'email' | 'course', string> & { gpa: number }

/** A file in which each email stands once. */
export function makeFile (number: number, format: Format, rows: number, below: Below): RowFile {
  const file: RowFile = { key: `file-${number}`, type: TYPES[format], course: `File ${number}`, bytes: Buffer.alloc(0), rows, valid: new Set(), faulty: [] }
  const lines = format === 'CSV' ? ['name,email,course,gpa'] : []
  for (let row = 1; row <= rows; row++) {
    const name = below(HARD) === 0 ? HARD_NAMES[below(HARD_NAMES.length)] ?? '' : `Student ${row}`
    const values = { name, email: `f${number}.${row}@example.com`, course: file.course, gpa: below(41) / 10 }
    const isFaulty = below(FAULTY) === 0
    if (isFaulty) file.faulty.push(row)
    else file.valid.add(values.email)
    const line = format === 'CSV' ? csvOf(values) : JSON.stringify(values)
    lines.push(isFaulty ? spoilt(line, values, format, below) : line)
  }
  file.bytes = Buffer.from(`${lines.join('\n')}\n`)
  return file
}

function csvOf ({ name, email, course, gpa }: Values): string {
  return `"${name.replaceAll('"', '""')}",${email},${course},${gpa}`
}

/** A row that is wrong in one way: a value out of its range, one that is missing, or a line that is none. */
function spoilt (line: string, values: Values, format: Format, below: Below): string {
  const kind = below(3)
  if (kind === 0) return format === 'CSV' ? csvOf({ ...values, gpa: 9 }) : JSON.stringify({ ...values, gpa: 9 })
  if (kind === 1) return format === 'CSV' ? csvOf({ ...values, email: '' }) : JSON.stringify({ ...values, email: undefined })
  return format === 'CSV' ? `${line},more` : line.slice(0, -1)
}
