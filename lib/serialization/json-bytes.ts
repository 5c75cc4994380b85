const FIRST_SIZE = 16_384

/** More is not kept for the next text. */
const KEPT_SIZE = 1_048_576

/**
 * The longest text that is handed on as a string. Node sends a short string in one write with its headers, and a Buffer
 * in two; of a long text the string costs a copy more.
 */
const LONGEST_STRING = 16_384

const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX_DIGITS = Buffer.from('0123456789abcdef')

/** JSON as it grows, in bytes that are used again for the next text. */
export class JsonBytes {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE)
  #length = 0
  #isAscii = true

  get length (): number {
    return this.#length
  }

  /** How many bytes it holds in memory, used or not. */
  get size (): number {
    return this.#bytes.length
  }

  /** Takes back what was written after that length. */
  truncate (length: number): void {
    this.#length = length
  }

  /** Begins a new text, whatever became of the last one. */
  clear (): void {
    if (this.#bytes.length > KEPT_SIZE) this.#bytes = Buffer.allocUnsafe(FIRST_SIZE)
    this.#length = 0
    this.#isAscii = true
  }

  /** Writes ASCII as it is. */
  ascii (text: string): void {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i)
  }

  /** Writes text as it is. */
  text (text: string): void {
    this.#reserve(3 * text.length) // no UTF-16 code unit has more bytes in UTF-8
    const written = this.#bytes.write(text, this.#length)
    if (written > text.length) this.#isAscii = false
    this.#length += written
  }

  /** Writes a string literal that holds the bytes as hexadecimal digits. */
  hex (source: Buffer, start: number, end: number): void {
    this.#reserve(2 * (end - start) + 2)
    this.#bytes[this.#length++] = QUOTE
    for (let i = start; i < end; i++) {
      const byte = source[i] as number // the caller has checked the end
      this.#bytes[this.#length++] = HEX_DIGITS[byte >> 4] as number // half a byte is below 16
      this.#bytes[this.#length++] = HEX_DIGITS[byte & 15] as number
    }
    this.#bytes[this.#length++] = QUOTE
  }

  /** Writes UTF-8 as a string literal; what is not well-formed becomes U+FFFD. */
  utf8 (source: Buffer, start: number, end: number): void {
    this.#reserve(end - start + 2)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = QUOTE
    for (let i = start; i < end; i++) {
      const byte = source[i] as number // the caller has checked the end
      if (byte < 0x20 || byte > 0x7f || byte === QUOTE || byte === BACKSLASH) return this.string(source.toString('utf8', start, end))
      bytes[at++] = byte
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  /** Writes a string literal. */
  string (text: string): void {
    this.text(JSON.stringify(text))
  }

  /** The text: short as a string, long as bytes of its own. */
  take (): string | Buffer {
    if (this.#length > LONGEST_STRING) return Buffer.from(this.#bytes.subarray(0, this.#length))
    return this.#bytes.toString(this.#isAscii ? 'latin1' : 'utf8', 0, this.#length)
  }

  #reserve (more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
