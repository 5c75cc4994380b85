import t from 'tap'
import { withDeadline } from '../../../lib/mongodb/deadline.js'

t.test('what an operation ends with in time is passed on, and its signal stays as it is', async (t) => {
  const signals: AbortSignal[] = []
  t.equal(await withDeadline(10, async (signal) => {
    signals.push(signal)
    return 'done'
  }), 'done')
  await t.rejects(withDeadline(10, async () => { throw new TypeError('x') }), TypeError)
  await new Promise((resolve) => setTimeout(resolve, 30)) // past the limit
  t.notOk(signals[0]?.aborted)
})

t.test('at the limit the caller is let go, the signal aborted, and what comes later is nobody\'s', async (t) => {
  let end = (_error: Error) => {}
  let signal: AbortSignal | undefined
  const outcome = withDeadline(10, (given) => {
    signal = given
    return new Promise<never>((_resolve, reject) => { end = reject })
  })
  await t.rejects(outcome, { name: 'TimeoutError', message: 'no answer within 10 ms' })
  t.ok(signal?.aborted)
  t.match(signal?.reason, { name: 'TimeoutError' })
  end(new Error('late'))
})
