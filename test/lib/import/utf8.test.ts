import { Buffer } from 'node:buffer'
import t from 'tap'
import { checkedUtf8 } from '../../../lib/import/utf8.js'

async function * of (...chunks: (Buffer | string)[]) {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function taken (source: AsyncIterable<Buffer>): Promise<string[]> {
  const chunks: string[] = []
  for await (const chunk of source) chunks.push(chunk.toString())
  return chunks
}

t.test('text is handed on as it came, cut where a character ends', async (t) => {
  const text = 'aé€𐍈\nz'
  for (let cut = 0; cut <= Buffer.byteLength(text); cut++) {
    const bytes = Buffer.from(text)
    const chunks = await taken(checkedUtf8(of(bytes.subarray(0, cut), bytes.subarray(cut))))
    t.equal(chunks.join(''), text)
    t.notMatch(chunks, [/\ufffd/])
  }
  t.equal((await taken(checkedUtf8(of(...Array.from(Buffer.from(text), (byte) => Buffer.from([byte])))))).join(''), text)
})

t.test('what is not UTF-8 is told with its line, and what stands before that line is handed on', async (t) => {
  const seen: string[] = []
  const read = async () => { for await (const chunk of checkedUtf8(of('one\ntwo\n', Buffer.from('three\nJos\xe9\nfive\n', 'latin1')))) seen.push(chunk.toString()) }
  await t.rejects(read(), { name: 'FileError', line: 4, message: /not UTF-8/ })
  t.equal(seen.join(''), 'one\ntwo\nthree\n')
})

t.test('a character that the end cuts off is not UTF-8', async (t) => {
  await t.rejects(taken(checkedUtf8(of('a\n', Buffer.from([0xe2, 0x82])))), { name: 'FileError', line: 2 })
  await t.rejects(taken(checkedUtf8(of(Buffer.from([0xff])))), { name: 'FileError', line: 1 })
})
