import { median } from 'simple-statistics'
import { judge, SOAK_BOUND } from './bounds.js'
import type { Case } from './cases.js'
import { today } from './facts.js'
import type { LoginTiming } from './login-timing.js'
import type { Sample, Soak } from './measure.js'
import type { Server } from './servers.js'

export interface Run {
  cases: Case[]
  servers: Pick<Server, 'name' | 'title' | 'restBytes'>[]
  /** The titles of servers whose rates are divided. */
  pairs: string[][]
  samples: Sample[]
  soak: Soak | undefined
  logins: LoginTiming | undefined
  rounds: number
  seconds: number
  /** Facts of machine, versions and way of measuring, a sentence each. */
  facts: string[]
}

type Figure = (sample: Sample) => number
export type Row = ReturnType<typeof rowsOf>[number]
type Cell = Row['cells'][number]

/** One figure of all samples: a row for each case, in it a cell for each server that was measured, with the median of the rounds. */
export function rowsOf ({ cases, servers, samples }: Run, figure: Figure = ({ perSecond }) => perSecond) {
  return cases.map(({ name, title }) => ({
    title,
    cells: servers.flatMap((server) => {
      const values = samples.filter((sample) => sample.case === name && sample.server === server.name).map(figure)
      return values.length === 0 ? [] : [{ server: server.title, value: median(values), least: Math.min(...values), most: Math.max(...values) }]
    })
  }))
}

/** A table in Markdown of one line for each row. */
export function table (head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The report in Markdown; `chart` is the path of the chart, if there is one. What it means comes first, and what was asked of it last. */
export function report (run: Run, chart?: string): string {
  return [
    '# Benchmarks',
    ...meaning(run),
    ...chart ? [`![Requests per second of each case](${chart})`] : [],
    `Written by \`npm run bench\` on ${today()}.`,
    ...run.cases.length > 0 ? figures(run) : [],
    ...run.logins ? logins(run.logins) : [],
    '## How it was measured',
    run.facts.map((fact) => `- ${fact}`).join('\n'),
    ...targets(run)
  ].join('\n\n') + '\n'
}

/** The cases that most apps have; the first one that was measured is told in words. */
const TYPICAL = ['read-64', 'read-1', 'list-20', 'page-1', 'create', 'update', 'mix']

/** What it means for a reader, in two sentences and a table: ours beside the driver without a framework, or else beside what was measured. */
function meaning (run: Run): string[] {
  const [ours, other] = run.pairs.find((pair) => pair.includes('node:http + driver')) ?? run.pairs[0] ?? []
  const cases = TYPICAL.flatMap((name) => run.cases.find((each) => each.name === name) ?? [])
  const rows = rowsOf({ ...run, cases }).flatMap(({ title, cells }) => {
    const [one, two] = [ours, other].map((server) => cells.find((cell) => cell.server === server)?.value)
    return one === undefined || two === undefined ? [] : [{ title, one, two, ratio: decimals(one / two, 2) }]
  })
  const [first] = rows
  if (!first) return []
  return [
    `One process of ours answers ${whole(first.one)} requests a second where ${other} answers ${whole(first.two)} (${first.title}), since requests that wait at the same time ` +
    'share round trips to the database. So the gain grows with the load: a client that is alone gains nothing.',
    table(['Requests per second', String(ours), String(other), 'Ratio'], rows.map(({ title, one, two, ratio }) => [title, whole(one), whole(two), ratio]))
  ]
}

function targets ({ servers, samples, soak }: Run): string[] {
  const titleOf = (name: string) => servers.find((server) => server.name === name)?.title ?? name
  const met = (isMet: boolean) => isMet ? 'yes' : '**no**'
  const rows = judge(samples).map(({ bound: { title, against, atLeast, p99AtMost }, ratio, ofRounds, isMet }) => [title, titleOf(against), ...p99AtMost === undefined
    ? [`at least ${atLeast}`, decimals(ratio, 2)]
    : [`at most ${p99AtMost} in each round`, ofRounds.map((one) => decimals(one, 2)).join(', ')], met(isMet)])
  if (soak) {
    const growth = soak.lateRssBytes / soak.earlyRssBytes
    const title = `memory after ${soak.seconds} s of the mix`
    rows.push([title, `after ${soak.seconds / 5} s`, `at most ${SOAK_BOUND}`, growth.toFixed(2), met(growth <= SOAK_BOUND)])
  }
  if (rows.length === 0) return []
  return ['## Targets', 'Ours on the MongoDB server where nothing else is said, as ratios.', table(['Figure', 'Against', 'Target', 'This run', 'Met'], rows)]
}

function figures (run: Run): string[] {
  const { rounds, seconds } = run
  const servers = run.servers.map(({ title }) => title)
  const tableBy = (show: (cell: Cell) => string, figure?: Figure) =>
    table(['Case', ...servers], rowsOf(run, figure).map(({ title, cells }) => [title, ...servers.map((server) => {
      const cell = cells.find((cell) => cell.server === server)
      return cell ? show(cell) : ''
    })]))
  return [
    '## Requests per second',
    `Medians of ${rounds} round${rounds === 1 ? '' : 's'} of ${seconds} s (four times as long for the list of 1000 and the pages), with the slowest and ` +
    'the fastest round. Before, each server gave the same answers as ours to every kind of request.',
    '### By server',
    tableBy(({ value, least, most }) => `${whole(value)} (${whole(least)}–${whole(most)})`),
    ...failures(run),
    ...ratios(run),
    ...lists(run),
    '## Latency',
    'Medians of the rounds, in milliseconds.',
    '### 50th percentile',
    tableBy(({ value }) => decimals(value, 1), ({ p50Ms }) => p50Ms),
    '### 99th percentile',
    tableBy(({ value }) => decimals(value, 1), ({ p99Ms }) => p99Ms),
    '## Processor time',
    'Microseconds for one request, user and system.',
    '### Of the server',
    'Without the database; of the embedded store with it.',
    tableBy(({ value }) => whole(value), ({ cpuUs }) => cpuUs),
    '### Of the database',
    tableBy(({ value }) => Number.isFinite(value) ? whole(value) : '', ({ databaseCpuUs }) => databaseCpuUs),
    '## Memory of the server',
    memory(run)
  ]
}

function failures (run: Run): string[] {
  const rows = rowsOf(run, ({ failed }) => failed)
  const lines = rows.flatMap(({ title, cells }) => cells.filter(({ most }) => most > 0).map(({ server, most }) => `- ${server}, ${title}: ${most} in one round`))
  if (lines.length === 0) return ['Every request had the answer that is due.']
  return ['Requests without the answer that is due, which are not counted above:', lines.join('\n')]
}

function ratios (run: Run): string[] {
  if (run.pairs.length === 0) return []
  const rows = rowsOf(run).map(({ title, cells }) => [title, ...run.pairs.map((pair) => {
    const [one, other] = pair.map((server) => cells.find((cell) => cell.server === server)?.value)
    return one === undefined || other === undefined ? '' : decimals(one / other, 2)
  })])
  return ['### As ratios', table(['Case', ...run.pairs.map((pair) => pair.join(' / '))], rows)]
}

/** Equal lists are cheap here as nowhere else, so a reader has to know which ones were measured. */
function lists ({ cases }: Run): string[] {
  const [sorted] = cases.filter(({ isSorted }) => isSorted)
  if (!sorted && !cases.some(({ name }) => name.startsWith('list-'))) return []
  return [
    '### Equal lists and different ones',
    'Equal lists that wait together share one query, and its bytes: this is what a page gains that everybody opens. ' +
    (sorted ? 'What different lists gain is told by the pages by filter and sort, of which no two that wait together are the same.' : 'Different lists were not measured in this run.'),
    ...sorted
      ? [`Those are of 20 of ${whole(sorted.students)} students, by grade from the best, with the index \`{ gpa: 1, _id: 1 }\`: ours by the cursor of its \`next\`, taken ` +
        'before; node:http + driver by a keyset; the others by `skip`. Each request asks for another of 128 lists, each of a range of grades of its own, with 20,000 students and somewhat more.']
      : []
  ]
}

function memory ({ servers, samples }: Run): string {
  const rows = servers.filter(({ name }) => samples.some(({ server }) => server === name)).map(({ name, title, restBytes }) => {
    const own = samples.filter(({ server }) => server === name)
    const most = (figure: Figure) => megabytes(Math.max(...own.map(figure)))
    return [title, megabytes(restBytes), most(({ rssBytes }) => rssBytes), most(({ anonBytes }) => anonBytes)]
  })
  return table(['Server', 'RSS at rest', 'highest RSS after a case', 'highest RssAnon after a case'], rows)
}

function logins ({ kinds, comparisons }: LoginTiming): string[] {
  return [
    '## Times of failed logins',
    'Time of `POST /token`, the kinds in turn, on accounts and from addresses that had failed no login before.',
    '### Medians',
    table(['Failed login', 'Number', 'Median'], kinds.map(({ name, samples, medianMs }) => [name, whole(samples), `${medianMs.toFixed(2)} ms`])),
    '### Whether they can be told apart',
    'By time: Mann-Whitney U test, two-sided, by mistake in one run of a hundred at most. The last ' +
    'column is how much longer all logins of one kind would have to take for the test to see it in so many.',
    table(['Kinds', 'p', 'Told apart', 'Seen from'], comparisons.map(({ names, p, canBeTold, seenFromMs }) =>
      [names.join(' and '), p.toFixed(3), canBeTold ? '**yes**' : 'no', `${seenFromMs.toFixed(1)} ms`]))
  ]
}

// where nothing was answered in time, there is no figure
export const whole = (value: number) => Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'none'
const decimals = (value: number, digits: number) => Number.isFinite(value) && value > 0 ? value.toFixed(digits) : 'none'

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
