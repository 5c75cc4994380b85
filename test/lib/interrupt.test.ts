import t from 'tap'
import { onInterrupt } from '../../lib/interrupt.js'

function buildUnderNpm () {
  const seen = { now: 0, stops: 0 }
  const interrupt = onInterrupt(() => { seen.stops++ }, true, () => seen.now)
  return { seen, interrupt }
}

t.test('under npm the echo of a Ctrl-C is not a second one', async (t) => {
  const { seen, interrupt } = buildUnderNpm()
  interrupt()
  seen.now = 149
  interrupt()
  t.equal(seen.stops, 1)
  seen.now = 400
  interrupt()
  t.equal(seen.stops, 2)
})

t.test('without npm every Ctrl-C counts', async (t) => {
  let stops = 0
  const interrupt = onInterrupt(() => { stops++ }, false)
  interrupt()
  interrupt()
  t.equal(stops, 2)
})
