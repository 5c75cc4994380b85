import { MongoServerError } from 'mongodb'
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
})

t.test('of an error of MongoDB the code is logged, not the message, which repeats values', async (t) => {
  const { err } = loggerOptions('info', false).serializers
  const logged = err(new MongoServerError({ code: 121, codeName: 'DocumentValidationFailure', message: 'failed: "secret"' }))
  t.match(logged, { type: 'MongoServerError', message: 'DocumentValidationFailure', code: 121 })
  t.match(logged.stack, /^MongoServerError: DocumentValidationFailure\n {4}at /)
  t.notMatch(JSON.stringify(logged), /secret/)
})
