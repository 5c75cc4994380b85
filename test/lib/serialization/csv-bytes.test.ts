import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import t from 'tap'
import { CsvBytes } from '../../../lib/serialization/csv-bytes.js'

const cell = (text: string, isDefused = false) => {
  const csv = new CsvBytes(isDefused)
  const bytes = Buffer.from(text)
  csv.utf8(bytes, 0, bytes.length)
  const fromBytes = csv.copy().toString()
  csv.clear()
  csv.string(text)
  t.equal(csv.copy().toString(), fromBytes, 'as text and as bytes alike')
  return fromBytes
}

t.test('a cell has quotes where it needs them, and the empty text is a pair of them', async (t) => {
  t.equal(cell('plain text'), 'plain text')
  t.equal(cell('a,b'), '"a,b"')
  t.equal(cell('say "a"'), '"say ""a"""')
  t.equal(cell('a\nb'), '"a\nb"')
  t.equal(cell('a\rb'), '"a\rb"')
  t.equal(cell('é€𐍈'), 'é€𐍈')
  t.equal(cell(''), '""')
  const csv = new CsvBytes(false)
  csv.null()
  t.equal(csv.length, 0, 'a null is nothing')
})

t.test('formulas are defused for a spreadsheet alone', async (t) => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) {
    t.equal(cell(formula), formula)
    t.equal(cell(formula, true), `'${formula}`)
  }
  t.equal(cell('\r=1', true), '"\'\r=1"')
  t.equal(cell('a=1', true), 'a=1')
})

t.test('what is written is what another parser reads', async (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string()), { minLength: 1 }), (rows) => {
    const csv = new CsvBytes(false)
    for (const [first, second] of rows) {
      csv.string(first)
      csv.ascii(',')
      csv.string(second)
      csv.ascii('\r\n')
    }
    t.strictSame(parse(csv.copy(), { relax_column_count: true }), rows.map((row) => row.map((text) => text.toWellFormed())))
  }), { numRuns: 200 })
})
