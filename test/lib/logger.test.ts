import t from 'tap'
import { loggerOptions } from '../../lib/logger.js'

t.test('a terminal gets pretty lines, anything else JSON', async (t) => {
  t.ok(loggerOptions('info', true).stream)
  t.notOk('stream' in loggerOptions('info', false))
})

t.test('a logged error holds no fields of its own: they may be what a user sent', async (t) => {
  const { err } = loggerOptions('info', false).serializers
  const cause = Object.assign(new TypeError('inner'), { document: { name: 'secret' } })
  const error = Object.assign(new Error('outer', { cause }), { code: 'X', keyValue: { email: 'secret' } })
  const logged = err(error)
  t.match(logged, { type: 'Error', message: 'outer', stack: /outer/, code: 'X', cause: { type: 'TypeError', message: 'inner' } })
  t.notMatch(JSON.stringify(logged), /secret/)
  delete error.stack
  t.equal(err(error).stack, '')
})
