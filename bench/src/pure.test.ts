import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { differences } from './answers.js'
import { CASES, type Case } from './cases.js'
import { judge } from './bounds.js'
import { mannWhitney } from './login-timing.js'
import { FEWEST_STUDENTS, pageCases } from './pages.js'
import { attackOf } from './pressure.js'
import { report, type Run } from './report.js'
import { PEERS, TITLES } from './servers.js'

test('answers at a rate are counted by their status, and timed where they are a success', () => {
  const answers = [...Array.from({ length: 99 }, (_, n) => ({ status: '200', ms: n })), { status: '503', ms: 5_000 }, { status: '0', ms: 10_000 }]
  assert.deepEqual(attackOf(answers, 10), { offered: 10.1, perSecond: 9.9, p50Ms: 49, p99Ms: 0.99 * 98, statuses: { 200: 99, 503: 1, 0: 1 } })
  assert.deepEqual(attackOf([{ status: '503', ms: 1 }], 1), { offered: 1, perSecond: 0, p50Ms: NaN, p99Ms: NaN, statuses: { 503: 1 } })
})

test('the U test gives the p-values that SciPy gives, with ties and without', () => {
  const plain = Array.from({ length: 30 }, (_, n) => n + 1)
  const tied = Array.from({ length: 40 }, (_, n) => n % 5)
  const isNear = (p: number, expected: number) => assert.ok(Math.abs(p - expected) < 1e-6, `${p} is about ${expected}`)
  isNear(mannWhitney(plain, plain.map((value) => value + 5)), 0.04274735)
  isNear(mannWhitney(plain, plain.map((value) => value + 0.5)), 0.83025528)
  isNear(mannWhitney(tied, tied.map((value, n) => value + n % 2)), 0.15975330)
  assert.ok(mannWhitney(plain, plain.map((value) => value + 100)) < 1e-9)
  assert.equal(mannWhitney([1, 1], [1, 1]), 1)
})

test('a bound is met by the ratio of the medians, and one for each round by every round', () => {
  const theirs = rounds('bare', [{ perSecond: 100, p99Ms: 10 }, { perSecond: 100, p99Ms: 10 }, { perSecond: 10, p99Ms: 2 }])
  const ours = rounds('ours', [{ perSecond: 600, p99Ms: 1 }, { perSecond: 650, p99Ms: 3 }, { perSecond: 100, p99Ms: 1 }])
  const verdicts = judge([...ours, ...theirs]).map(({ bound: { title, against }, ...rest }) => ({ title, against, ...rest }))
  assert.deepEqual(verdicts, [
    { title: 'read by id', against: 'bare', ratio: 6, ofRounds: [6, 6.5, 10], isMet: true },
    { title: 'p99 of read by id', against: 'bare', ratio: 0.1, ofRounds: [0.1, 0.3, 0.5], isMet: false }
  ])
  const others = rounds('ours', [{ perSecond: 599, p99Ms: 1 }, { perSecond: 650, p99Ms: 3 }, { perSecond: 100, p99Ms: 0.6 }])
  assert.deepEqual(judge([...others, ...theirs]).map(({ isMet }) => isMet), [false, true])
})

test('a peer that answered nothing meets no bound', () => {
  const samples = [...rounds('ours', [{ perSecond: 600, p99Ms: 1 }]), ...rounds('bare', [{ perSecond: 0, p99Ms: 0 }])]
  assert.deepEqual(judge(samples).map(({ isMet }) => isMet), [false, false])
})

test('answers differ by their status and by the fields of their body', () => {
  const ours = [{ name: 'read', status: 200, body: { id: 'a', gpa: 3 } }, { name: '404', status: 404, body: 'none' }]
  const names = (...answers: typeof ours) => differences(ours, answers).map((difference) => difference.split(':')[0])
  assert.deepEqual(differences(ours, structuredClone(ours)), [])
  assert.match(String(differences(ours, [{ name: 'read', status: 201, body: { id: 'a', gpa: 3 } }])), /^read: .*201/)
  assert.match(String(differences(ours, [{ name: 'read', status: 200, body: { id: 'a', gpa: '3' } }])), /^read: .*"3"/)
  assert.deepEqual(names({ name: 'read', status: 200, body: 'a' }, { name: '404', status: 404, body: 'nil' }), ['read', '404'])
  assert.deepEqual(names({ name: 'unasked', status: 200, body: '' }), ['unasked'])
})

test('of a constant the names of the fields count alone', () => {
  const ours = [{ name: 'read', status: 200, body: { id: 'a', gpa: 3 } }]
  assert.deepEqual(differences(ours, [{ name: 'read', status: 200, body: { id: 'b', gpa: 4 } }], true), [])
  assert.match(String(differences(ours, [{ name: 'read', status: 200, body: { id: 'b' } }], true)), /^read: /)
})

test('a bound is on another case of ours, or on ours with its embedded store, where it says so', () => {
  const at = (server: string, name: string, perSecond: number) => rounds(server, [{ perSecond, p99Ms: 1 }], name)
  const samples = [...at('ours', 'page-1', 100), ...at('ours', 'page-1000', 79), ...at('embedded', 'page-1000', 40), ...at('bare', 'page-1000', 10)]
  assert.deepEqual(judge(samples).map(({ bound: { title }, ratio, isMet }) => [title, ratio, isMet]), [
    ['page 1,000 by filter and sort', 7.9, true],
    ['page 1,000 beside page 1', 0.79, false],
    ['page 1,000 by filter and sort, embedded', 40 / 79, true]
  ])
})

test('pages are asked for by a number to skip where that is usual, each of another list', () => {
  const [, page] = pageCases(1_000_000)
  const paths = Array.from({ length: Number(page?.requests) }, (_, n) => page?.request(n, 'mongoose').path)
  assert.equal(paths[0], '/students/?gpa.gte=1&gpa.lt=1.07&sort=-gpa&limit=20&skip=1980')
  assert.equal(paths[127], '/students/?gpa.gte=2.27&gpa.lt=2.34&sort=-gpa&limit=20&skip=1980')
  assert.equal(new Set(paths).size, 128)
  assert.equal(new Set(Array.from({ length: 128 }, (_, n) => pageCases(FEWEST_STUDENTS)[0]?.request(n, 'ours').path)).size, 128)
})

function rounds (server: string, figures: { perSecond: number, p99Ms: number }[], name = 'read-64') {
  const rest = { case: name, server, failed: 0, p50Ms: 1, cpuUs: 1, databaseCpuUs: 1, rssBytes: 1, anonBytes: 1 }
  return figures.map((figure) => ({ ...rest, ...figure }))
}

test('the report opens with what it means, has a heading over each table, and ends with the targets', () => {
  const text = report(runOf(CASES), 'benchmarks.svg')
  const lines = text.split('\n').filter((line) => line !== '')
  assert.match(String(lines[1]), /^One process of ours answers 600 requests a second where node:http \+ driver answers 100 \(read by id, 64 connections\), since /)
  assert.deepEqual(tablesOf(text).map(([heading]) => heading), [
    '# Benchmarks', '### By server', '### As ratios', '### 50th percentile', '### 99th percentile', '### Of the server', '### Of the database',
    '## Memory of the server', '### Medians', '### Whether they can be told apart', '## Targets'
  ])
  assert.ok(text.indexOf('| Ratio |') < text.indexOf('](benchmarks.svg)') && text.indexOf('](benchmarks.svg)') < text.indexOf('\n## '))
  assert.match(text, /Different lists were not measured in this run\./)
  assert.match(report(runOf([...CASES, ...pageCases(FEWEST_STUDENTS)])), /page 1 by filter and sort, all different[^]*What different lists gain is told by the pages/)
  assert.doesNotMatch(report({ ...runOf([]), pairs: [] }), /One process of ours|Equal lists/)
})

test('docs/benchmarks.md is as the report is written', async () => {
  const page = await readFile(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8')
  // the cases that there were at its run
  const cases = [...CASES, ...pageCases(1_000_000)].filter(({ title }) => page.includes(`\n| ${title} | `))
  const text = report(runOf(cases), 'benchmarks.svg')
  const headingsOf = (text: string) => text.match(/^#+ .*/gm)
  assert.deepEqual(headingsOf(page), headingsOf(text))
  assert.deepEqual(tablesOf(page), tablesOf(text))
})

/** A run in which ours is six times as fast as each other. */
function runOf (cases: Case[]): Run {
  const servers = [['ours', 'ours'], ...PEERS.map((name) => [name, TITLES[name]])].map(([name, title]) => ({ name: String(name), title: String(title), restBytes: 1 }))
  const samples = servers.flatMap(({ name }) => cases.flatMap((each) => rounds(name, [{ perSecond: name === 'ours' ? 600 : 100, p99Ms: 1 }], each.name)))
  const kinds = [{ name: 'unknown user', samples: 1, medianMs: 1 }]
  const comparisons = [{ names: ['unknown user', 'wrong password'], p: 0.5, canBeTold: false, seenFromMs: 1 }]
  return { cases, servers, pairs: servers.slice(1).map(({ title }) => ['ours', title]), samples, soak: undefined, logins: { kinds, comparisons }, rounds: 1, seconds: 1, facts: ['Machine: one.'] }
}

/** The first line of each table, with the heading that it stands under. */
function tablesOf (text: string): [heading: string, head: string][] {
  let heading = ''
  return text.split('\n').flatMap((line, at, lines): [string, string][] => {
    if (line.startsWith('#')) heading = line
    return lines[at + 1]?.startsWith('| ---') ? [[heading, line]] : []
  })
}
