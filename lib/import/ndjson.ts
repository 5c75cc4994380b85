import type { Row } from './row.js'

const LF = 0x0a

/** With it some editors begin a file. */
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** The rows of NDJSON: one value of JSON a line; lines of white space alone are no rows. Takes UTF-8, cut anywhere between two characters. */
export async function * ndjsonRows (source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Row> {
  let row = 0
  for await (const { line, bytes } of lines(source, maxBytes)) {
    const text = bytes?.toString().trim()
    if (text === '') continue
    row++
    yield { line, row, ...text === undefined ? { text: '', fault: `must not be longer than ${maxBytes} bytes` } : parsed(text) }
  }
}

function parsed (text: string): Pick<Row, 'text' | 'value' | 'fault'> {
  try {
    return { text, value: JSON.parse(text) }
  } catch {
    return { text, fault: 'must be JSON' }
  }
}

/** The lines, without their ends; one that is too long is passed over without keeping it, and has no bytes. */
async function * lines (source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<{ line: number, bytes: Buffer | undefined }> {
  const parts: Buffer[] = []
  let length = 0
  let line = 1
  const take = () => {
    const bytes = length > maxBytes ? undefined : Buffer.concat(parts, length)
    parts.length = 0
    length = 0
    return { line: line++, bytes }
  }
  let isFirst = true
  for await (const chunk of source) {
    let start = isFirst && chunk.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0
    isFirst = false
    for (let end = chunk.indexOf(LF, start); end !== -1; end = chunk.indexOf(LF, start)) {
      if (length + end - start <= maxBytes) parts.push(chunk.subarray(start, end))
      length += end - start
      yield take()
      start = end + 1
    }
    length += chunk.length - start
    if (length <= maxBytes) parts.push(chunk.subarray(start))
    else parts.length = 0
  }
  if (length > 0) yield take()
}
