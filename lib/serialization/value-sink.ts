/** What a stored value is written to, in the syntax of a format. */
export interface ValueSink {
  /** Writes a value that is ASCII and needs no quotes in any format: a number or a truth value. */
  ascii (text: string): void
  /** Writes text that is given as UTF-8. */
  utf8 (source: Buffer, start: number, end: number): void
  /** Writes text. */
  string (text: string): void
  /** Writes bytes as the text of their hexadecimal digits. */
  hex (source: Buffer, start: number, end: number): void
  /** Writes a null. */
  null (): void
}
