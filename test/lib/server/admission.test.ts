import t from 'tap'
import { Admission } from '../../../lib/server/admission.js'

const SAMPLE_MS = 250

/** A server that answers so many requests a second, each in its turn, while so many come; answers how long the latest ones waited, in milliseconds. */
function simulate (admission: Admission, clock: { now: number }, queue: { since: number }[], { seconds = 5, rate, capacity }: { seconds?: number, rate: number, capacity: number }) {
  let [owedArrivals, owedAnswers, refused, served] = [0, 0, 0, 0]
  const waits: number[] = []
  const end = clock.now + seconds * 1000
  for (; clock.now < end; clock.now++) {
    for (owedArrivals += rate / 1000; owedArrivals >= 1; owedArrivals--) {
      if (admission.refuses()) refused++
      else {
        const request = { since: clock.now }
        admission.enter(request)
        queue.push(request)
      }
    }
    for (owedAnswers = Math.min(owedAnswers + capacity / 1000, 1 + capacity / 1000); owedAnswers >= 1; owedAnswers--) {
      const request = queue.shift()
      if (!request) break
      admission.leave(request)
      served++
      if (clock.now > end - 2_000) waits.push(clock.now - request.since)
    }
    if (clock.now % SAMPLE_MS === 0) admission.sample()
  }
  return { refused, perSecond: served / seconds, longest: Math.max(...waits) }
}

function build () {
  const clock = { now: 0 }
  return { clock, queue: [] as { since: number }[], admission: new Admission(500, () => clock.now) }
}

t.test('at several times what can be answered, as much is answered as can be, and in time', async (t) => {
  for (const capacity of [300, 1_000, 10_000]) {
    for (const times of [1.2, 4, 16]) {
      const { admission, clock, queue } = build()
      const { perSecond, longest, refused } = simulate(admission, clock, queue, { rate: capacity * times, capacity, seconds: 10 })
      t.ok(perSecond > 0.95 * capacity, `${capacity} × ${times}: ${perSecond} answered a second`)
      t.ok(longest < 750, `${capacity} × ${times}: after ${longest} ms at most`)
      t.ok(refused > 0)
    }
  }
})

t.test('what can be answered is let in, also a burst, and again once the load is over', async (t) => {
  const { admission, clock, queue } = build()
  t.equal(simulate(admission, clock, queue, { rate: 900, capacity: 1_000 }).refused, 0)
  for (let index = 0; index < 1_000; index++) t.notOk(admission.refuses())
  simulate(admission, clock, queue, { rate: 4_000, capacity: 1_000 })
  t.ok(admission.load.limit < 700, `${admission.load.limit} under load`)
  simulate(admission, clock, queue, { rate: 100, capacity: 1_000 })
  t.equal(admission.load.limit, 1_024)
  t.equal(simulate(admission, clock, queue, { rate: 900, capacity: 1_000 }).refused, 0)
})

t.test('more are let in where many do not wait long', async (t) => {
  const { admission, clock, queue } = build()
  const requests = Array.from({ length: 3_000 }, () => ({ since: 0 }))
  for (const request of requests) if (!admission.refuses()) admission.enter(request)
  t.equal(admission.load.underWay, 1_024)
  for (let turn = 0; turn < 20; turn++) {
    clock.now += 100
    for (const request of requests) admission.leave(request)
    for (const request of requests) if (!admission.refuses()) admission.enter(request)
    admission.sample()
  }
  t.equal(admission.load.underWay, 3_000)
  t.strictSame(queue, [])
})

t.test('a few that take long by themselves turn nobody away', async (t) => {
  const { admission, clock, queue } = build()
  for (let index = 0; index < 64; index++) admission.enter({})
  t.equal(simulate(admission, clock, queue, { rate: 900, capacity: 1_000 }).refused, 0)
  t.equal(admission.load.limit, 1_024)
})

t.test('where nothing is answered any more a few are let in still', async (t) => {
  const { admission, clock, queue } = build()
  simulate(admission, clock, queue, { rate: 1_000, capacity: 0, seconds: 2 })
  t.equal(admission.load.limit, 64)
})
