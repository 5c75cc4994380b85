import t from 'tap'
import { csvOf, RowCompiler } from '../../../lib/serialization/rows.js'

t.test('a schema that cannot be written from bytes is refused', async (t) => {
  t.throws(() => new RowCompiler({ type: 'object', properties: { tags: { type: 'array' } } }), { name: 'TypeError' })
})

t.test('a record as a file has a header', async (t) => {
  t.equal(csvOf({ name: 'a,b', gpa: 3, note: null }), 'name,gpa,note\r\n"a,b",3,\r\n')
})
