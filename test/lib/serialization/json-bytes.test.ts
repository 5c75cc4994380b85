import t from 'tap'
import { JsonBytes } from '../../../lib/serialization/json-bytes.js'

t.test('a large buffer is not kept once its text is taken, and one of the usual size is used again', async (t) => {
  const json = new JsonBytes()
  const first = json.size
  json.string('x'.repeat(100_000))
  json.take()
  json.clear()
  const usual = json.size
  t.ok(usual > first && usual <= 1_048_576, 'kept for the next text')
  json.string('x'.repeat(2_000_000))
  t.ok(json.size > 2_000_000)
  json.take()
  json.clear()
  t.equal(json.size, first)
  json.string('again')
  t.equal(json.take(), '"again"')
})
