import t from 'tap'
import { createValidatorCompiler } from '../../../lib/http/validator.js'
import { VISIBLE } from '../../../schemas/common.js'

t.test('what the documented pattern calls visible, no keyword of ours refuses', async (t) => {
  const validate = createValidatorCompiler()({ schema: { type: 'string', 'x-visible': true } })
  const pattern = new RegExp(VISIBLE)
  const others: string[] = []
  for (let code = 0; code < 0x10000; code++) {
    const text = String.fromCharCode(code)
    if (pattern.test(text) && !validate(text)) others.push(code.toString(16))
  }
  t.strictSame(others, [])
})

t.test('the pattern means the same with and without the flag for Unicode', async (t) => {
  const [plain, unicode] = [new RegExp(VISIBLE), new RegExp(VISIBLE, 'u')]
  for (const text of ['', ' ', '\u200b', 'é', '😀', '\u3000\u2800', '\u200b.']) t.equal(plain.test(text), unicode.test(text), JSON.stringify(text))
})
