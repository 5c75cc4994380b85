import t from 'tap'
import { LoginQueue } from '../../../lib/access/login-queue.js'

t.test('as many logins at once as are set, then so many wait, and one more is turned away', async (t) => {
  const queue = new LoginQueue({ atOnce: 2, maxWaiting: 3 })
  const ends: (() => void)[] = []
  let most = 0
  const login = async () => {
    await new Promise<void>((resolve) => {
      ends.push(resolve)
      most = Math.max(most, ends.length)
    })
    return 'in'
  }
  const logins = Array.from({ length: 5 }, async () => queue.run(login))
  await new Promise(setImmediate)
  t.equal(most, 2)
  await t.rejects(queue.run(login), { code: 'SCA_LOGINS_BUSY', statusCode: 503 })
  while (ends.length > 0) {
    ends.shift()?.()
    await new Promise(setImmediate)
  }
  t.strictSame(await Promise.all(logins), ['in', 'in', 'in', 'in', 'in'])
  await t.resolves(queue.run(async () => {}), 'and then there is room again')
})

t.test('by default half of the processors stay with everything else', async (t) => {
  const queue = new LoginQueue()
  t.equal(await queue.run(async () => 'in'), 'in')
})
