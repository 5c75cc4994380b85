import { Type } from '@sinclair/typebox'
import t from 'tap'
import { text } from '../../../schemas/common.js'
import type { Fields } from '../../../schemas/resource.js'
import { csvRows } from '../../../lib/import/csv.js'

const fields = {
  name: text(20),
  credits: Type.Integer(),
  gpa: Type.Number(),
  is_open: Type.Boolean(),
  starts: Type.Optional(Type.String({ minLength: 1, format: 'date-time' }))
}

async function rows (text: string, { size = 3, maxBytes = 100, of = fields as Fields } = {}) {
  const found = []
  const bytes = Buffer.from(text)
  const source = (async function * () { for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size) })()
  for await (const { text: _, ...row } of csvRows(source, maxBytes, of)) found.push(row)
  return found
}

t.test('columns come in any order, and each value is of the type of its field', async (t) => {
  const found = await rows('gpa,is_open,name,id,credits\n3.5,true,"Ann, ""the"" first",66b3f0a1c2d4e5f601234567,6\n1e-1,false,Bob,,-2\n')
  t.strictSame(found, [
    { line: 2, row: 1, value: { gpa: 3.5, is_open: true, name: 'Ann, "the" first', credits: 6 } },
    { line: 3, row: 2, value: { gpa: 0.1, is_open: false, name: 'Bob', credits: -2 } }
  ])
  t.strictSame(await rows('gpa,is_open\nhigh,yes\n'), [{ line: 2, row: 1, value: { gpa: 'high', is_open: 'yes' } }], 'what is not of it is left to the validation')
})

t.test('files of real life are read: a byte order mark, CRLF and LF, line ends in quotes, blank lines, and no last line end', async (t) => {
  const found = await rows('\ufeffname,gpa\r\n"a\r\nb",1\r\n\r\nc,2\n"d\n\ne",3\nf,4')
  t.strictSame(found, [
    { line: 2, row: 1, value: { name: 'a\r\nb', gpa: 1 } },
    { line: 5, row: 2, value: { name: 'c', gpa: 2 } },
    { line: 6, row: 3, value: { name: 'd\n\ne', gpa: 3 } },
    { line: 9, row: 4, value: { name: 'f', gpa: 4 } }
  ])
  t.strictSame(await rows(''), [])
  t.strictSame(await rows('name\n'), [])
})

t.test('an empty cell is a missing field; a pair of quotes is the empty text where a field can be that', async (t) => {
  t.strictSame(await rows('name,gpa\n,1\n"",2\n'), [{ line: 2, row: 1, value: { gpa: 1 } }, { line: 3, row: 2, value: { gpa: 2 } }])
  const of = { name: Type.String(), note: Type.String() }
  t.strictSame(await rows('name,note\n,x\n"",y\n', { of }), [{ line: 2, row: 1, value: { note: 'x' } }, { line: 3, row: 2, value: { name: '', note: 'y' } }])
})

t.test('a row with too few or too many cells is a fault of that row', async (t) => {
  t.match(await rows('name,gpa\na\nb,1,2\nc,3'), [
    { line: 2, row: 1, fault: 'must have 2 columns, and has 1' }, { line: 3, row: 2, fault: 'must have 2 columns, and has 3' }, { line: 4, row: 3, value: { name: 'c', gpa: 3 } }
  ])
})

t.test('a header that is not right ends the import before the first row', async (t) => {
  await t.rejects(rows('nmae,gpa\n'), { name: 'FileError', line: 1, message: 'has an unknown column "nmae"; did you mean name?' })
  await t.rejects(rows('\n\nzzzzzzzz,gpa\n'), { line: 3, message: /unknown column "zzzzzzzz"; there are name, credits, gpa, is_open, starts, id, etag/ })
  await t.rejects(rows('gpa,name,gpa\n'), { line: 1, message: 'has the column "gpa" twice' })
  for (const delimiter of [';', '\t', '|']) await t.rejects(rows(`name${delimiter}gpa\n`), { line: 1, message: /which must be commas/ })
})

t.test('quotes that are not right, and a record that is too long, end it with their line', async (t) => {
  await t.rejects(rows('name,gpa\na,1\n"b"x,2\n'), { name: 'FileError', line: 3, message: /cannot be read as CSV/ })
  await t.rejects(rows('name,gpa\na,1\n"b,2\n'), { line: 3, message: /cannot be read as CSV/ })
  await t.rejects(rows(`name,gpa\na,1\n${'x'.repeat(200)},2\n`), { line: 3, message: 'must not be longer than 100 bytes' })
})

t.test('a source that fails is no fault of the file', async (t) => {
  const source = (async function * () { yield Buffer.from('name,gpa\na,1\n'); throw new Error('gone') })()
  const read = async () => { for await (const row of csvRows(source, 100, fields)) t.ok(row) }
  await t.rejects(read(), { message: 'gone' })
})
