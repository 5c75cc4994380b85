import t from 'tap'
import { onHangup, onSignal } from '../../../lib/server/interrupt.js'

function build (isUnderNpm: boolean) {
  const clock = { now: 0 }
  const calls: string[] = []
  const handle = onSignal((signal) => calls.push(`stop ${signal}`), (signal) => calls.push(`abort ${signal}`), isUnderNpm, () => clock.now)
  return { clock, calls, handle }
}

t.test('under npm the echo of a Ctrl-C is not a second signal, also as another one', async (t) => {
  const { clock, calls, handle } = build(true)
  handle('SIGINT')
  clock.now = 149
  handle('SIGTERM')
  t.strictSame(calls, ['stop SIGINT'])
  clock.now = 400
  handle('SIGINT')
  t.strictSame(calls, ['stop SIGINT', 'abort SIGINT'])
})

t.test('without npm every signal counts', async (t) => {
  const { calls, handle } = build(false)
  handle('SIGTERM')
  handle('SIGTERM')
  t.strictSame(calls, ['stop SIGTERM', 'abort SIGTERM'])
})

t.test('SIGHUP ends what a terminal closes, and renews what has none', async (t) => {
  t.equal(onHangup(true, 'end', 'renew'), 'end')
  t.equal(onHangup(false, 'end', 'renew'), 'renew')
})
