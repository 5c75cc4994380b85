import t from 'tap'
import { ndjsonRows } from '../../../lib/import/ndjson.js'

async function rows (text: string, { size = 5, maxBytes = 100 } = {}) {
  const found = []
  const bytes = Buffer.from(text)
  const source = (async function * () { for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size) })()
  for await (const { text: _, ...row } of ndjsonRows(source, maxBytes)) found.push(row)
  return found
}

t.test('each line is a row; blank ones are none, and the last one needs no end', async (t) => {
  const expected = [{ line: 1, row: 1, value: { a: 1 } }, { line: 4, row: 2, value: [] }, { line: 5, row: 3, value: 'x\ny' }]
  for (const size of [1, 2, 7, 1000]) t.strictSame(await rows('{"a":1}\n\n  \r\n[]\r\n"x\\ny"', { size }), expected)
  t.strictSame(await rows('\ufeff{"a":1}\n', { size: 1000 }), [{ line: 1, row: 1, value: { a: 1 } }], 'a byte order mark')
  t.strictSame(await rows(''), [])
})

t.test('what is not JSON is a fault of its row', async (t) => {
  t.match(await rows('{\n{}\nNaN'), [{ line: 1, row: 1, fault: 'must be JSON' }, { line: 2, row: 2, value: {} }, { line: 3, row: 3, fault: 'must be JSON' }])
})

t.test('a line that is too long is a fault, and the next one is read', async (t) => {
  const long = `"${'x'.repeat(200)}"`
  for (const size of [1, 50, 10_000]) {
    t.match(await rows(`1\n${long}\n2\n${long}`, { size }), [
      { line: 1, value: 1 }, { line: 2, row: 2, fault: 'must not be longer than 100 bytes' }, { line: 3, value: 2 }, { line: 4, row: 4, fault: /longer/ }
    ])
  }
  t.match(await rows(`"${'x'.repeat(98)}"`), [{ value: 'x'.repeat(98) }], 'just not too long')
})
