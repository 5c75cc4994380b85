import t from 'tap'
import { statusOf } from '../../../lib/server/exit-status.js'

t.test('a process counts by its code, and one without by whether it was asked to end', async (t) => {
  t.strictSame([statusOf(0, false), statusOf(3, true), statusOf(null, true), statusOf(null, false)], [0, 3, 0, 1])
})
