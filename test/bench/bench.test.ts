import t from 'tap'
import { judge } from '../../bench/bounds.js'
import { differences } from '../../bench/differences.js'
import { mannWhitney, median } from '../../bench/statistics.js'

t.test('the median is the middle value, or the mean of the two in the middle', async (t) => {
  t.equal(median([10, 9, 2]), 9)
  t.equal(median([10, 1, 4, 2]), 3)
  t.ok(Number.isNaN(median([])))
})

t.test('the U test gives the p-values that SciPy gives, with ties and without', async (t) => {
  const plain = Array.from({ length: 30 }, (_, n) => n + 1)
  const tied = Array.from({ length: 40 }, (_, n) => n % 5)
  const isNear = (p: number, expected: number) => t.ok(Math.abs(p - expected) < 1e-6, `${p} is about ${expected}`)
  isNear(mannWhitney(plain, plain.map((value) => value + 5)), 0.04274735)
  isNear(mannWhitney(plain, plain.map((value) => value + 0.5)), 0.83025528)
  isNear(mannWhitney(tied, tied.map((value, n) => value + n % 2)), 0.15975330)
  t.equal(mannWhitney(plain, plain.map((value) => value + 100)) < 1e-9, true)
  t.equal(mannWhitney([1, 1], [1, 1]), 1)
})

t.test('a bound is met by the ratio of the medians, and one for each round by every round', async (t) => {
  const theirs = rounds('bare', [{ perSecond: 100, p99Ms: 10 }, { perSecond: 100, p99Ms: 10 }, { perSecond: 10, p99Ms: 2 }])
  const ours = rounds('ours', [{ perSecond: 600, p99Ms: 1 }, { perSecond: 650, p99Ms: 3 }, { perSecond: 100, p99Ms: 1 }])
  t.match(judge([...ours, ...theirs]), [
    { bound: { title: 'read by id', against: 'bare' }, ratio: 6, isMet: true },
    { bound: { title: 'p99 of read by id', against: 'bare' }, ofRounds: [0.1, 0.3, 0.5], ratio: 0.1, isMet: false }
  ])
  const others = rounds('ours', [{ perSecond: 599, p99Ms: 1 }, { perSecond: 650, p99Ms: 3 }, { perSecond: 100, p99Ms: 0.6 }])
  t.strictSame(judge([...others, ...theirs]).map(({ isMet }) => isMet), [false, true])
})

t.test('a peer that answered nothing meets no bound', async (t) => {
  const samples = [...rounds('ours', [{ perSecond: 600, p99Ms: 1 }]), ...rounds('bare', [{ perSecond: 0, p99Ms: 0 }])]
  t.strictSame(judge(samples).map(({ isMet }) => isMet), [false, false])
})

t.test('answers differ by their status and by the fields of their body', async (t) => {
  const ours = [{ name: 'read', status: 200, body: { id: 'a', gpa: 3 } }, { name: '404', status: 404, body: 'none' }]
  t.strictSame(differences(ours, structuredClone(ours)), [])
  t.match(differences(ours, [{ name: 'read', status: 201, body: { id: 'a', gpa: 3 } }]), [/^read: .*201/])
  t.match(differences(ours, [{ name: 'read', status: 200, body: { id: 'a', gpa: '3' } }]), [/^read: .*"3"/])
  t.match(differences(ours, [{ name: 'read', status: 200, body: { id: 'a' } }, { name: '404', status: 404, body: 'nil' }]), [/^read: /, /^404: /])
  t.match(differences(ours, [{ name: 'unasked', status: 200, body: '' }]), [/^unasked: /])
})

t.test('of a constant the names of the fields count alone', async (t) => {
  const ours = [{ name: 'read', status: 200, body: { id: 'a', gpa: 3 } }]
  t.strictSame(differences(ours, [{ name: 'read', status: 200, body: { id: 'b', gpa: 4 } }], true), [])
  t.match(differences(ours, [{ name: 'read', status: 200, body: { id: 'b' } }], true), [/^read: /])
})

function rounds (server: string, figures: { perSecond: number, p99Ms: number }[]) {
  const rest = { case: 'read-64', server, failed: 0, p50Ms: 1, cpuUs: 1, databaseCpuUs: 1, rssBytes: 1, anonBytes: 1 }
  return figures.map((figure) => ({ ...rest, ...figure }))
}
