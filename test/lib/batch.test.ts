import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Batches, type BatchesOptions } from '../../lib/batch.js'

const HOUR_MS = 3_600_000

/** Batches that note what is sent and end when the test says so. */
function build (options: Partial<BatchesOptions<string, string>> = {}) {
  const sent: { items: string[], end: (outcomes?: (string | Error)[]) => void, fail: (error: unknown) => void }[] = []
  const batches = new Batches<string, string>({
    maxUnderWay: 1,
    maxItems: 100,
    send: (items) => new Promise((resolve, reject) => {
      sent.push({ items, end: (outcomes = items.map((item) => `${item}!`)) => resolve(outcomes), fail: reject })
    }),
    ...options
  })
  const add = (item: string) => batches.add(item, HOUR_MS)
  return { batches, sent, add, shown: () => sent.map(({ items }) => items.join('')) }
}

t.test('when nothing is under way a lone item is sent at once', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2 })
  for (const item of ['a', 'b']) {
    const caller = add(item)
    t.equal(shown().at(-1), item)
    sent.at(-1)?.end()
    t.equal(await caller, `${item}!`)
  }
})

t.test('with room beside another batch all leave together who come in the same turn of the event loop', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2 })
  const callers = [add('a'), add('b')]
  await Promise.resolve()
  callers.push(add('c'))
  t.strictSame(shown(), ['a'])
  await turn()
  t.strictSame(shown(), ['a', 'bc'])
  for (const { end } of sent) end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!'])
})

t.test('who comes while a batch is under way gathers for the next one, which leaves when it ends', async (t) => {
  const { sent, add, shown } = build()
  const callers = [add('a'), add('b'), add('c')]
  t.strictSame(shown(), ['a'])
  callers.push(add('d'))
  sent[0]?.end()
  await callers[0]
  t.strictSame(shown(), ['a', 'bcd'])
  callers.push(add('e'))
  t.strictSame(shown(), ['a', 'bcd'], 'closed when it was sent')
  sent[1]?.end()
  await callers[1]
  t.strictSame(shown(), ['a', 'bcd', 'e'])
  sent[2]?.end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!', 'd!', 'e!'])
})

t.test('no more batches than allowed are under way, and each that ends lets one more go', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2, maxItems: 2 })
  const callers = ['a', 'b', 'c', 'd', 'e', 'f'].map(add)
  await turn()
  t.strictSame(shown(), ['a', 'bc'])
  sent[1]?.end()
  await callers[1]
  await turn()
  t.strictSame(shown(), ['a', 'bc', 'de'])
  sent[0]?.end()
  await callers[0]
  await turn()
  t.strictSame(shown(), ['a', 'bc', 'de', 'f'])
  sent[2]?.end()
  sent[3]?.end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!', 'd!', 'e!', 'f!'])
})

t.test('a batch has a cap in bytes too, but always one item', async (t) => {
  const { sent, add, shown } = build({ maxBytes: 3, bytesOf: (item) => item.length })
  const callers = [add('x'), add('aa'), add('b'), add('c'), add('dddd'), add('e')]
  for (let n = 0; n < 5; n++) {
    sent[n]?.end()
    await turn()
  }
  t.strictSame(shown(), ['x', 'aab', 'c', 'dddd', 'e'])
  t.strictSame(await Promise.all(callers), ['x!', 'aa!', 'b!', 'c!', 'dddd!', 'e!'])
})

t.test('each caller has its own result or its own error', async (t) => {
  const { sent, add } = build()
  const [first, second, third] = [add('a'), add('b'), add('c')]
  sent[0]?.end()
  await first
  const refused = new Error('refused')
  sent[1]?.end([refused, 'c!'])
  await t.rejects(second, refused)
  t.equal(await third, 'c!')
})

t.test('what a batch throws reaches all of its callers and nobody else, and nothing is sent twice', async (t) => {
  const { sent, add, shown } = build()
  const [first, second, third] = [add('a'), add('b'), add('c')]
  const gone = new Error('gone')
  sent[0]?.fail(gone)
  await t.rejects(first, gone)
  sent[1]?.fail(gone)
  await t.rejects(second, gone)
  await t.rejects(third, gone)
  t.strictSame(shown(), ['a', 'bc'])
  const next = add('d')
  sent[2]?.end()
  t.equal(await next, 'd!', 'and the batches go on')
})

t.test('who runs out of time before the batch is sent is no part of it', async (t) => {
  const { batches, sent, add, shown } = build()
  const first = add('a')
  const late = batches.add('b', 1)
  const third = add('c')
  await t.rejects(late, { name: 'TimeoutError', message: 'no answer within 1 ms' })
  sent[0]?.end()
  await first
  t.strictSame(shown(), ['a', 'c'])
  sent[1]?.end()
  t.equal(await third, 'c!')
})

t.test('who runs out of time after that leaves the others undisturbed', async (t) => {
  const { batches, sent, add } = build()
  const first = add('a')
  const hasty = batches.add('b', 20)
  const patient = add('c')
  sent[0]?.end()
  await first
  await t.rejects(hasty, { name: 'TimeoutError' })
  sent[1]?.end()
  t.equal(await patient, 'c!')
})

t.test('when the last one has left a batch the next one takes its place, and what it ends with later is nobody\'s', async (t) => {
  const { batches, sent, add, shown } = build()
  const hasty = batches.add('a', 1)
  const second = add('b')
  const third = add('c')
  await t.rejects(hasty, { name: 'TimeoutError' })
  t.strictSame(shown(), ['a', 'bc'])
  const fourth = add('d')
  sent[0]?.fail(new Error('late'))
  await turn()
  t.strictSame(shown(), ['a', 'bc'], 'one place, not two')
  sent[1]?.end()
  sent[2]?.end()
  t.strictSame(await Promise.all([second, third]), ['b!', 'c!'])
  sent[2]?.end()
  t.equal(await fourth, 'd!')
})
