/** A row of a file: a value, or why there is none. Lines and rows count from 1; a header is no row, and a row may have several lines. */
export interface Row {
  line: number
  row: number
  value?: unknown
  fault?: string
  /** What tells the row from others. */
  text: string
}

/** What is wrong with a file as such: nothing after that line can be read. */
export class FileError extends Error {
  override name = 'FileError'
  readonly line: number

  constructor (line: number, message: string) {
    super(message)
    this.line = line
  }
}
