import { isUtf8 } from 'node:buffer'
import { FileError } from './row.js'

const LF = 0x0a

/** A byte that is not the first one of a character. */
const isContinuation = (byte: number) => byte >> 6 === 0b10

/**
 * The bytes as they come, cut where a character ends. Throws FileError with the line where they are not UTF-8: decoding would put something else in
 * place of what was meant.
 */
export async function * checkedUtf8 (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  let line = 1
  for await (const chunk of source) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const end = endOfCharacters(bytes)
    const whole = bytes.subarray(0, end)
    rest = Buffer.from(bytes.subarray(end))
    if (!isUtf8(whole)) {
      const sound = soundLines(whole)
      if (sound.length > 0) yield sound
      throw new FileError(line + count(sound), NOT_UTF8)
    }
    line += count(whole)
    if (whole.length > 0) yield whole
  }
  if (rest.length > 0) throw new FileError(line, NOT_UTF8)
}

const NOT_UTF8 = 'is not UTF-8: save the file with that encoding'

/** Where the last character that is whole ends; of bytes that are no character it does not matter. */
function endOfCharacters (bytes: Buffer): number {
  let start = bytes.length - 1
  while (start > bytes.length - 4 && start > 0 && isContinuation(bytes[start] as number)) start-- // within the bytes
  const first = bytes[start] ?? 0
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
  return start + length > bytes.length ? start : bytes.length
}

function count (bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines++
  return lines
}

/** The lines before the one that is not UTF-8. */
function soundLines (bytes: Buffer): Buffer {
  let start = 0
  for (let at = bytes.indexOf(LF); at !== -1 && isUtf8(bytes.subarray(start, at)); at = bytes.indexOf(LF, start)) start = at + 1
  return bytes.subarray(0, start)
}
