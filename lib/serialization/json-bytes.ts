import { TextBytes } from './text-bytes.js'
import type { ValueSink } from './value-sink.js'

/**
 * The longest text that is handed on as a string. Node sends a short string in one write with its headers, and a Buffer
 * in two; of a long text the string costs a copy more.
 */
const LONGEST_STRING = 16_384

const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX_DIGITS = Buffer.from('0123456789abcdef')

/** JSON as it grows. */
export class JsonBytes extends TextBytes implements ValueSink {
  /** Writes a string literal that holds the bytes as hexadecimal digits. */
  hex (source: Buffer, start: number, end: number): void {
    this.reserve(2 * (end - start) + 2)
    this.bytes[this.end++] = QUOTE
    for (let i = start; i < end; i++) {
      const byte = source[i] as number // the caller has checked the end
      this.bytes[this.end++] = HEX_DIGITS[byte >> 4] as number // half a byte is below 16
      this.bytes[this.end++] = HEX_DIGITS[byte & 15] as number
    }
    this.bytes[this.end++] = QUOTE
  }

  /** Writes UTF-8 as a string literal; what is not well-formed becomes U+FFFD. */
  utf8 (source: Buffer, start: number, end: number): void {
    this.reserve(end - start + 2)
    const bytes = this.bytes
    let at = this.end
    bytes[at++] = QUOTE
    for (let i = start; i < end; i++) {
      const byte = source[i] as number // the caller has checked the end
      if (byte < 0x20 || byte > 0x7f || byte === QUOTE || byte === BACKSLASH) return this.string(source.toString('utf8', start, end))
      bytes[at++] = byte
    }
    bytes[at++] = QUOTE
    this.end = at
  }

  /** Writes a string literal. */
  string (text: string): void {
    this.text(JSON.stringify(text))
  }

  null (): void {
    this.ascii('null')
  }

  /** The text: short as a string, long as bytes of its own. */
  take (): string | Buffer {
    if (this.end > LONGEST_STRING) return this.copy()
    return this.bytes.toString(this.isAscii ? 'latin1' : 'utf8', 0, this.end)
  }
}
