import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Quotas } from '../../../lib/server/quotas.js'

t.test('a key has its quota in each window, and one that is refused is served again with the next', async (t) => {
  let now = 1_000_500
  const quotas = new Quotas({ quota: 3, windowMs: 60_000, now: () => now })
  t.strictSame([1, 2, 3, 4, 5].map(() => quotas.take('a').isOver), [false, false, false, true, true])
  t.strictSame(quotas.take('b'), { isOver: false, remaining: 2, resetS: 20 })
  now += 19_499
  t.strictSame(quotas.take('a'), { isOver: true, remaining: 0, resetS: 1 })
  now += 1
  t.strictSame(quotas.take('a'), { isOver: false, remaining: 2, resetS: 60 })
})

/** Processes that count together: in a map in place of a database. */
function together (count: number, quota: number) {
  const totals = new Map<string, number>()
  let asked = 0
  const share = async (key: string, by: number, windowEnd: number) => {
    asked++
    const total = (totals.get(key + windowEnd) ?? 0) + by
    totals.set(key + windowEnd, total)
    return total
  }
  const processes = Array.from({ length: count }, () => {
    const quotas = new Quotas({ quota, windowMs: 60_000, now: () => 0 })
    quotas.share = share
    return quotas
  })
  return { processes, asked: () => asked }
}

t.test('several processes let no more through than a quota and what each counts meanwhile', async (t) => {
  const { processes, asked } = together(4, 1_000)
  let served = 0
  for (let count = 0; count < 4_000; count++) {
    if (!processes[count % 4]?.take('a').isOver) served++
    if (count % 8 === 0) await turn()
  }
  t.ok(served >= 1_000 && served <= 1_000 + 4 * 50, String(served))
  t.ok(asked() < served / 2, `${asked()} round trips`)
})

t.test('a client far from its quota costs no round trip', async (t) => {
  const { processes: [one], asked } = together(1, 1_000)
  for (let count = 0; count < 49; count++) one?.take('a')
  t.equal(asked(), 0)
  one?.take('a')
  t.equal(asked(), 1)
})

t.test('while the others cannot be asked a process counts alone, and tells what it counted once they can', async (t) => {
  const quotas = new Quotas({ quota: 10, windowMs: 60_000, now: () => 0 })
  const told: number[] = []
  let isAway = true
  quotas.share = async (_key, by) => {
    if (isAway) throw new Error('away')
    told.push(by)
    return by
  }
  for (let count = 0; count < 5; count++) {
    quotas.take('a')
    await turn()
  }
  isAway = false
  quotas.take('a')
  await turn()
  t.strictSame(told, [6])
  t.equal(quotas.take('a').remaining, 3)
})

t.test('of more keys than are counted the rest count together', async (t) => {
  const quotas = new Quotas({ quota: 2, windowMs: 60_000, now: () => 0 })
  for (let count = 0; count < 100_000; count++) quotas.take(String(count))
  t.strictSame(['x', 'y', 'z'].map((key) => quotas.take(key).isOver), [false, false, true])
  t.equal(quotas.take('0').isOver, false)
})
