import t from 'tap'
import { Backoff } from '../../../lib/server/backoff.js'

t.test('what ends again and again is started later each time, up to ten seconds, and at once once it has lived for a while', async (t) => {
  const backoff = new Backoff()
  t.strictSame([50, 50, 50, 50].map((livedMs) => backoff.next(livedMs)), [0, 100, 200, 400])
  for (let count = 0; count < 20; count++) backoff.next(50)
  t.equal(backoff.next(50), 10_000)
  t.equal(backoff.next(10_000), 0)
  t.equal(backoff.next(50), 100)
})
