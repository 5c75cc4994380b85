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

/** The report in Markdown; `chart` is the path of the chart, if there is one. */
export function report (run: Run, chart?: string): string {
  return [
    '# Benchmarks',
    `Written by \`npm run bench\` on ${today()}.`,
    run.facts.map((fact) => `- ${fact}`).join('\n'),
    ...targets(run),
    ...run.cases.length > 0 ? figures(run, chart) : [],
    ...run.logins ? logins(run.logins) : []
  ].join('\n\n') + '\n'
}

function targets ({ samples, soak }: Run): string[] {
  const met = (isMet: boolean) => isMet ? 'yes' : '**no**'
  const rows = judge(samples).map(({ bound: { title, against, atLeast, p99AtMost }, ratio, ofRounds, isMet }) => [title, against, ...p99AtMost === undefined
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

function figures (run: Run, chart?: string): string[] {
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
    ...run.cases.filter(({ isSorted }) => isSorted).slice(0, 1).map(({ students }) =>
      `Pages are 20 of ${whole(students)} students, by grade from the best, with the index \`{ gpa: 1, _id: 1 }\`: ours by the cursor of its \`next\`, taken ` +
      'before; node:http + driver by a keyset; the others by `skip`. Each request asks for another of 128 lists, as ours shares one find among the same lists ' +
      'that wait together: each is of a range of grades of its own, with 20,000 students and somewhat more.'),
    ...chart ? [`![Requests per second of each case](${chart})`] : [],
    tableBy(({ value, least, most }) => `${whole(value)} (${whole(least)}–${whole(most)})`),
    ...failures(run),
    ...ratios(run),
    '## Latency',
    'Medians of the rounds, in milliseconds: 50th and 99th percentile.',
    tableBy(({ value }) => decimals(value, 1), ({ p50Ms }) => p50Ms),
    tableBy(({ value }) => decimals(value, 1), ({ p99Ms }) => p99Ms),
    '## Processor time of the server',
    'Microseconds for one request, user and system, without the database; of the embedded store with it.',
    tableBy(({ value }) => whole(value), ({ cpuUs }) => cpuUs),
    'The same of the database:',
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
  return ['As ratios:', table(['Case', ...run.pairs.map((pair) => pair.join(' / '))], rows)]
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
    table(['Failed login', 'Number', 'Median'], kinds.map(({ name, samples, medianMs }) => [name, whole(samples), `${medianMs.toFixed(2)} ms`])),
    'Whether the kinds can be told apart by time: Mann-Whitney U test, two-sided, by mistake in one run of a hundred at most. The last ' +
    'column is how much longer all logins of one kind would have to take for the test to see it in so many.',
    table(['Kinds', 'p', 'Told apart', 'Seen from'], comparisons.map(({ names, p, canBeTold, seenFromMs }) =>
      [names.join(' and '), p.toFixed(3), canBeTold ? '**yes**' : 'no', `${seenFromMs.toFixed(1)} ms`]))
  ]
}

// where nothing was answered in time, there is no figure
export const whole = (value: number) => Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'none'
const decimals = (value: number, digits: number) => Number.isFinite(value) && value > 0 ? value.toFixed(digits) : 'none'

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
