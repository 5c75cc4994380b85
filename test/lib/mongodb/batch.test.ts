import { setImmediate as endOfTurn } from 'node:timers/promises'
import t from 'tap'
import { Batches, type BatchesOptions } from '../../../lib/mongodb/batch.js'

const HOUR_MS = 3_600_000

/** Long enough for a batch that ended to let the next one go, which leaves at the end of a turn of its own. */
async function turn () {
  await endOfTurn()
  await endOfTurn()
}

/** The same promise, whose error may come before somebody waits for it: on a busy machine limits of a few milliseconds pass soon. */
function handled<T> (promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** Batches that note what is sent and end when the test says so. */
function build (options: Partial<BatchesOptions<string, string>> = {}) {
  const sent: { items: string[], signal: AbortSignal, end: (outcomes?: (string | Error)[]) => void, fail: (error: unknown) => void }[] = []
  const batches = new Batches<string, string>({
    operation: 'test',
    maxUnderWay: 1,
    maxItems: 100,
    send: (items, signal) => new Promise((resolve, reject) => {
      sent.push({ items, signal, end: (outcomes = items.map((item) => `${item}!`)) => resolve(outcomes), fail: reject })
    }),
    ...options
  })
  const add = (item: string) => batches.add(item, HOUR_MS)
  return { batches, sent, add, shown: () => sent.map(({ items }) => items.join('')) }
}

t.test('a lone item is sent at the end of the same turn of the event loop', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2 })
  for (const item of ['a', 'b']) {
    const caller = add(item)
    await turn()
    t.equal(shown().at(-1), item)
    sent.at(-1)?.end()
    t.equal(await caller, `${item}!`)
  }
})

t.test('with room all leave together who come in the same turn of the event loop, also beside another batch', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2 })
  const callers = [add('a'), add('b')]
  await Promise.resolve()
  callers.push(add('c'))
  t.strictSame(shown(), [])
  await turn()
  t.strictSame(shown(), ['abc'])
  callers.push(add('d'), add('e'))
  await turn()
  t.strictSame(shown(), ['abc', 'de'])
  for (const { end } of sent) end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!', 'd!', 'e!'])
})

t.test('who comes while a batch is under way gathers for the next one, which leaves when it ends', async (t) => {
  const { sent, add, shown } = build()
  const callers = [add('a')]
  await turn()
  callers.push(add('b'), add('c'))
  await turn()
  callers.push(add('d'))
  t.strictSame(shown(), ['a'])
  sent[0]?.end()
  await turn()
  t.strictSame(shown(), ['a', 'bcd'])
  callers.push(add('e'))
  await turn()
  t.strictSame(shown(), ['a', 'bcd'], 'closed when it was sent')
  sent[1]?.end()
  await turn()
  t.strictSame(shown(), ['a', 'bcd', 'e'])
  sent[2]?.end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!', 'd!', 'e!'])
})

t.test('no more batches than allowed are under way, and each that ends lets one more go', async (t) => {
  const { sent, add, shown } = build({ maxUnderWay: 2, maxItems: 2 })
  const callers = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(add)
  await turn()
  t.strictSame(shown(), ['ab', 'cd'])
  sent[1]?.end()
  await turn()
  t.strictSame(shown(), ['ab', 'cd', 'ef'])
  sent[0]?.end()
  await turn()
  t.strictSame(shown(), ['ab', 'cd', 'ef', 'g'])
  sent[2]?.end()
  sent[3]?.end()
  t.strictSame(await Promise.all(callers), ['a!', 'b!', 'c!', 'd!', 'e!', 'f!', 'g!'])
})

t.test('a batch has a cap in bytes too, but always one item', async (t) => {
  const { sent, add, shown } = build({ maxBytes: 3, bytesOf: (item) => item.length })
  const callers = [add('aa'), add('b'), add('c'), add('dddd'), add('e')]
  for (let n = 0; n < 5; n++) {
    await turn()
    sent[n]?.end()
  }
  t.strictSame(shown(), ['aab', 'c', 'dddd', 'e'])
  t.strictSame(await Promise.all(callers), ['aa!', 'b!', 'c!', 'dddd!', 'e!'])
})

t.test('the event loop has its turn while the callers of a large batch are answered', async (t) => {
  const { sent, add } = build()
  const items = Array.from({ length: 40 }, (_, n) => String(n))
  let answered = 0
  const callers = items.map(async (item) => add(item).finally(() => answered++))
  await turn()
  const counts: number[] = []
  sent[0]?.end()
  while (answered < items.length) {
    await endOfTurn()
    counts.push(answered)
  }
  t.ok(counts.length > 1, `${counts}`)
  t.ok(counts.every((count, n) => count - (counts[n - 1] ?? 0) <= 16), `at most 16 in a turn: ${counts}`)
  t.strictSame(await Promise.all(callers), items.map((item) => `${item}!`))
})

t.test('the next batch is sent before all callers of the last one are answered', async (t) => {
  const { sent, add, shown } = build()
  const items = Array.from({ length: 40 }, (_, n) => String(n))
  const callers = items.map(add)
  await turn()
  const next = add('next')
  let isLastAnswered = false
  callers.at(-1)?.finally(() => { isLastAnswered = true })
  sent[0]?.end()
  while (shown().length < 2) await endOfTurn()
  t.notOk(isLastAnswered)
  sent[1]?.end()
  t.equal(await next, 'next!')
  await Promise.all(callers)
})

t.test('who has an answer is not late, however long it takes to give it to all', async (t) => {
  const { batches, sent, add, shown } = build()
  const work = () => { for (const started = performance.now(); performance.now() - started < 10;); }
  const hasty = Array.from({ length: 16 }, (_, n) => batches.add(`${n}`, 20).catch(() => 'late'))
  const patient = Array.from({ length: 48 }, (_, n) => batches.add(`${n}`, 400).finally(work))
  await turn()
  t.strictSame(await Promise.all(hasty), hasty.map(() => 'late'))
  sent[0]?.end()
  t.strictSame(await Promise.all(patient), patient.map((_, n) => `${n}!`))
  const next = add('next')
  await turn()
  const last = add('last')
  await turn()
  t.equal(shown().length, 2, 'and no more batches are under way than allowed')
  for (const place of [1, 2]) {
    sent[place]?.end()
    await turn()
  }
  t.strictSame(await Promise.all([next, last]), ['next!', 'last!'])
})

t.test('each caller has its own result or its own error', async (t) => {
  const { sent, add } = build()
  const [first, second] = [add('a'), add('b')]
  await turn()
  const refused = new Error('refused')
  sent[0]?.end([refused, 'b!'])
  await t.rejects(first, refused)
  t.equal(await second, 'b!')
})

t.test('what a batch throws reaches all of its callers and nobody else, and nothing is sent twice', async (t) => {
  const { sent, add, shown } = build()
  const [first, second] = [add('a'), add('b')]
  await turn()
  const third = add('c')
  const gone = new Error('gone')
  sent[0]?.fail(gone)
  await t.rejects(first, gone)
  await t.rejects(second, gone)
  await turn()
  t.strictSame(shown(), ['ab', 'c'])
  sent[1]?.end()
  t.equal(await third, 'c!', 'and the batches go on')
})

t.test('who runs out of time before the batch is sent is no part of it', async (t) => {
  const { batches, sent, add, shown } = build()
  const first = add('a')
  await turn()
  const late = handled(batches.add('b', 1))
  const third = add('c')
  await t.rejects(late, { name: 'NotSentError', cause: { name: 'TimeoutError', message: 'no answer within 1 ms' } })
  sent[0]?.end()
  await first
  await turn()
  t.strictSame(shown(), ['a', 'c'])
  sent[1]?.end()
  t.equal(await third, 'c!')
})

t.test('who runs out of time after that leaves the others undisturbed', async (t) => {
  const { batches, sent, add } = build()
  const hasty = handled(batches.add('a', 20))
  const patient = add('b')
  await turn()
  await t.rejects(hasty, { name: 'TimeoutError' })
  sent[0]?.end()
  t.equal(await patient, 'b!')
})

t.test('when the last one has left a batch the next one takes its place, and what it ends with later is nobody\'s', async (t) => {
  const { batches, sent, add, shown } = build()
  const hasty = handled(batches.add('a', 20))
  await turn()
  const second = add('b')
  const third = add('c')
  await t.rejects(hasty, { name: 'TimeoutError' })
  await turn()
  t.strictSame(shown(), ['a', 'bc'])
  const fourth = add('d')
  sent[0]?.fail(new Error('late'))
  await turn()
  t.strictSame(shown(), ['a', 'bc'], 'one place, not two')
  sent[1]?.end()
  t.strictSame(await Promise.all([second, third]), ['b!', 'c!'])
  await turn()
  sent[2]?.end()
  t.equal(await fourth, 'd!')
})

t.test('a batch is aborted when the last one has left it, and not before', async (t) => {
  const { batches, sent } = build()
  const [hasty, patient] = [handled(batches.add('a', 10)), handled(batches.add('b', 500))]
  await turn()
  await t.rejects(hasty, { name: 'TimeoutError' })
  t.notOk(sent[0]?.signal.aborted)
  await t.rejects(patient, { name: 'TimeoutError' })
  t.ok(sent[0]?.signal.aborted)
  t.match(sent[0]?.signal.reason, { name: 'TimeoutError' })
})

t.test('an answered batch is never aborted', async (t) => {
  const { sent, batches } = build()
  const caller = batches.add('a', 400)
  await turn()
  sent[0]?.end()
  t.equal(await caller, 'a!')
  await new Promise((resolve) => setTimeout(resolve, 450)) // past the limit
  t.notOk(sent[0]?.signal.aborted)
})

t.test('who runs out of time before anything of the batch was sent is no part of it, and the others go in another one', async (t) => {
  const { batches, sent, add, shown } = build({ isSent: () => false })
  const hasty = handled(batches.add('a', 10))
  const patient = [add('b'), add('c')]
  await turn()
  const later = add('d')
  await t.rejects(hasty, { name: 'NotSentError', cause: { name: 'TimeoutError' } })
  t.ok(sent[0]?.signal.aborted)
  sent[0]?.fail(new Error('aborted'))
  await turn()
  t.strictSame(shown(), ['abc', 'bcd'])
  sent[1]?.end()
  t.strictSame(await Promise.all([...patient, later]), ['b!', 'c!', 'd!'])
})

t.test('a batch that fails before anything of it was sent says so to each of its callers', async (t) => {
  let isSent = false
  const { sent, add } = build({ isSent: () => isSent })
  for (const [state, expected] of [[false, { name: 'NotSentError', cause: { message: 'gone' } }], [true, { message: 'gone' }]] as const) {
    const callers = [add('a'), add('b')]
    await turn()
    isSent = state
    sent.at(-1)?.fail(new Error('gone'))
    for (const caller of callers) await t.rejects(caller, expected)
  }
})

for (const [title, options] of [
  ['in number', { maxGathering: 2 }], ['in bytes', { maxGatheringBytes: 5, bytesOf: (item: string) => item.length }]
] as const) {
  t.test(`what gathers has a bound ${title}; whoever comes beyond it is turned away at once, until there is room again`, async (t) => {
    const { batches, sent, add, shown } = build(options)
    const first = add('aa')
    await turn()
    const [second, hasty] = [add('bb'), handled(batches.add('cc', 10))]
    await t.rejects(add('dd'), { name: 'NotSentError', cause: { name: 'OverloadedError' } })
    await t.rejects(hasty, { name: 'NotSentError' })
    const third = add('ee')
    sent[0]?.end()
    t.equal(await first, 'aa!')
    await turn()
    t.strictSame(shown(), ['aa', 'bbee'])
    const gathering = [add('ff'), add('gg')]
    await t.rejects(add('hh'), { name: 'NotSentError' })
    sent[1]?.end()
    await turn()
    sent[2]?.end()
    t.strictSame(await Promise.all([second, third, ...gathering]), ['bb!', 'ee!', 'ff!', 'gg!'])
  })
}

t.test('without options of its own, too, what gathers has a bound', async (t) => {
  const large = 'x'.repeat(1_048_576)
  for (const [item, count] of [['a', 8_192], [large, 16]] as const) {
    const { batches } = build({ bytesOf: (item) => item.length })
    const outcomes = Array.from({ length: count + 2 }, () => batches.add(item, 30).catch((error) => error.cause?.name))
    const refused = (await Promise.all(outcomes)).filter((name) => name === 'OverloadedError')
    t.equal(refused.length, 2)
  }
})
