const FIRST_SIZE = 16_384

/** More is not kept for the next text. */
const KEPT_SIZE = 1_048_576

/** Text as it grows, in bytes that are used again for the next one. */
export class TextBytes {
  protected bytes = Buffer.allocUnsafe(FIRST_SIZE)
  protected end = 0
  protected isAscii = true

  get length (): number {
    return this.end
  }

  /** How many bytes it holds in memory, used or not. */
  get size (): number {
    return this.bytes.length
  }

  /** Takes back what was written after that length. */
  truncate (length: number): void {
    this.end = length
  }

  /** Begins a new text, whatever became of the last one. */
  clear (): void {
    if (this.bytes.length > KEPT_SIZE) this.bytes = Buffer.allocUnsafe(FIRST_SIZE)
    this.end = 0
    this.isAscii = true
  }

  /** Writes ASCII as it is. */
  ascii (text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.bytes[this.end++] = text.charCodeAt(i)
  }

  /** Writes text as it is. */
  text (text: string): void {
    this.reserve(3 * text.length) // no UTF-16 code unit has more bytes in UTF-8
    const written = this.bytes.write(text, this.end)
    if (written > text.length) this.isAscii = false
    this.end += written
  }

  /** The text so far, as bytes of its own. */
  copy (): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.end))
  }

  protected reserve (more: number): void {
    const needed = this.end + more
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.end)
    this.bytes = larger
  }
}
