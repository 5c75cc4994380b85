import { TextBytes } from './text-bytes.js'
import type { ValueSink } from './value-sink.js'

/** What makes a field need quotes (RFC 4180 section 2): a comma, a quote, CR or LF. */
const NEEDS_QUOTES = /[,"\r\n]/

/** What a spreadsheet takes for the beginning of a formula, and what it skips before one (OWASP, "CSV Injection"). */
const BEGINS_FORMULA = /^[=+\-@\t\r]/

const [QUOTE, COMMA, CR, LF] = [0x22, 0x2c, 0x0d, 0x0a]

/**
 * CSV as it grows (RFC 4180). A null is an empty field, like one that is missing; the empty text is a pair of quotes.
 */
export class CsvBytes extends TextBytes implements ValueSink {
  #isDefused: boolean

  /** @param isDefused whether text that a spreadsheet would run as a formula gets an apostrophe before it */
  constructor (isDefused: boolean) {
    super()
    this.#isDefused = isDefused
  }

  utf8 (source: Buffer, start: number, end: number): void {
    if (this.#isDefused || start === end) return this.string(source.toString('utf8', start, end))
    this.reserve(end - start)
    const bytes = this.bytes
    let at = this.end
    for (let i = start; i < end; i++) {
      const byte = source[i] as number // the caller has checked the end
      // what is not ASCII may be malformed
      if (byte > 0x7f || byte === COMMA || byte === QUOTE || byte === CR || byte === LF) return this.string(source.toString('utf8', start, end))
      bytes[at++] = byte
    }
    this.end = at
  }

  string (text: string): void {
    const harmless = this.#isDefused && BEGINS_FORMULA.test(text) ? `'${text}` : text
    this.text(harmless === '' || NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless)
  }

  hex (source: Buffer, start: number, end: number): void {
    this.ascii(source.toString('hex', start, end))
  }

  null (): void {}
}
