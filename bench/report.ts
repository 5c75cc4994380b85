import { judge, SOAK_BOUND } from './bounds.js'
import type { Case } from './cases.js'
import type { LoginTiming } from './login-timing.js'
import type { Sample } from './measure.js'
import type { Soak } from './soak.js'
import { rowsOf, table, tableOf, type Cell, type Row, type Titles } from './table.js'

export interface Run {
  cases: Case[]
  /** The servers by name, with the titles that are shown. */
  titles: Titles
  /** The names of servers whose rates are divided. */
  pairs: [string, string][]
  samples: Sample[]
  soak: Soak | undefined
  logins?: LoginTiming | undefined
  rounds: number
  seconds: number
  /** The bytes of each server before the first request of a case, by name. */
  restBytes: Map<string, number>
  /** Facts of machine, versions and way of measuring, a sentence each. */
  facts: string[]
}

export const ratesOf = ({ cases, titles, samples }: Run): Row[] => rowsOf(cases, titles, samples, ({ perSecond }) => perSecond)

/** The report in Markdown; `chart` is the path of the chart, if there is one. */
export function report (run: Run, chart?: string): string {
  return [
    '# Benchmarks',
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}.`,
    run.facts.map((fact) => `- ${fact}`).join('\n'),
    ...targets(run),
    ...run.cases.length > 0 ? figures(run, chart) : [],
    ...run.logins ? logins(run.logins) : []
  ].join('\n\n') + '\n'
}

function figures (run: Run, chart?: string): string[] {
  const { cases, titles, samples, rounds, seconds } = run
  const tableBy = (figure: (sample: Sample) => number, show: (cell: Cell) => string) =>
    tableOf(rowsOf(cases, titles, samples, figure), titles, show)
  return [
    '## Requests per second',
    `Medians of ${rounds} round${rounds === 1 ? '' : 's'} of ${seconds} s (four times as long for the list of 1000), with the slowest and the fastest round. ` +
    'Before, each server gave the same answers as ours to every kind of request.',
    ...chart ? [`![Requests per second of each case](${chart})`] : [],
    tableBy(({ perSecond }) => perSecond, ({ value, least, most }) => `${whole(value)} (${whole(least)}–${whole(most)})`),
    ...failures(run),
    ...ratios(run),
    '## Latency',
    'Medians of the rounds, in milliseconds: 50th and 99th percentile.',
    tableBy(({ p50Ms }) => p50Ms, ({ value }) => decimals(value, 1)),
    tableBy(({ p99Ms }) => p99Ms, ({ value }) => decimals(value, 1)),
    '## Processor time of the server',
    'Microseconds for one request, user and system, without the database; of the embedded store with it.',
    tableBy(({ cpuUs }) => cpuUs, ({ value }) => whole(value)),
    'The same of the database:',
    tableBy(({ databaseCpuUs }) => databaseCpuUs, ({ value }) => Number.isFinite(value) ? whole(value) : ''),
    '## Memory of the server',
    memory(run)
  ]
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

function targets ({ samples, soak }: Run): string[] {
  const verdicts = judge(samples).map(({ bound, ratio, ofRounds, isMet }) => [
    bound.title,
    bound.against,
    bound.atLeast === undefined ? `at most ${bound.atMostInEachRound} in each round` : `at least ${bound.atLeast}`,
    bound.atLeast === undefined ? ofRounds.map((one) => decimals(one, 2)).join(', ') : decimals(ratio, 2),
    met(isMet)
  ])
  const growth = soak && soak.late.rssBytes / soak.early.rssBytes
  const soaked = growth === undefined
    ? []
    : [[`memory after ${soak?.seconds} s of the mix`, `after ${Number(soak?.seconds) / 5} s`, `at most ${SOAK_BOUND}`, growth.toFixed(2), met(growth <= SOAK_BOUND)]]
  const rows = [...verdicts, ...soaked]
  if (rows.length === 0) return []
  return ['## Targets', 'Ours on the MongoDB server, as ratios.', table(['Figure', 'Against', 'Target', 'This run', 'Met'], rows)]
}

const met = (isMet: boolean) => isMet ? 'yes' : '**no**'

function ratios (run: Run): string[] {
  if (run.pairs.length === 0) return []
  const pairs = run.pairs.map((pair) => pair.map((name) => String(run.titles.get(name))))
  const rows = ratesOf(run).map(({ title, cells }) => [title, ...pairs.map((pair) => {
    const [one, other] = pair.map((server) => cells.find((cell) => cell.server === server)?.value)
    return one === undefined || other === undefined ? '' : decimals(one / other, 2)
  })])
  return ['As ratios:', table(['Case', ...pairs.map((pair) => pair.join(' / '))], rows)]
}

function failures ({ cases, titles, samples }: Run): string[] {
  const failed = samples.filter((sample) => sample.failed > 0)
  if (failed.length === 0) return ['Every request had the answer that is due.']
  const lines = failed.map((sample) => {
    const title = cases.find(({ name }) => name === sample.case)?.title
    return `- ${titles.get(sample.server)}, ${title}: ${sample.failed} in one round`
  })
  return ['Requests without the answer that is due, which are not counted above:', lines.join('\n')]
}

function memory ({ titles, samples, restBytes }: Run): string {
  const rows = [...titles].map(([server, title]) => {
    const own = samples.filter((sample) => sample.server === server)
    const most = (figure: (sample: Sample) => number) => megabytes(Math.max(...own.map(figure)))
    return [title, megabytes(restBytes.get(server) ?? NaN), most(({ rssBytes }) => rssBytes), most(({ anonBytes }) => anonBytes)]
  })
  return table(['Server', 'RSS at rest', 'highest RSS after a case', 'highest RssAnon after a case'], rows)
}

// where nothing was answered in time, there is no figure
const whole = (value: number) => Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'none'
const decimals = (value: number, digits: number) => Number.isFinite(value) && value > 0 ? value.toFixed(digits) : 'none'

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
