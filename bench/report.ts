import { judge, SOAK_BOUND } from './bounds.js'
import type { Case } from './cases.js'
import type { Sample } from './measure.js'
import type { Soak } from './soak.js'
import { rowsOf, table, tableOf, type Row, type Titles } from './table.js'

export interface Run {
  cases: Case[]
  /** The servers by name, with the titles that are shown. */
  titles: Titles
  /** The names of servers whose rates are divided. */
  pairs: [string, string][]
  samples: Sample[]
  soak: Soak | undefined
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
  const { cases, titles, samples, facts } = run
  const rows = (figure: (sample: Sample) => number) => rowsOf(cases, titles, samples, figure)
  const [p50, p99] = [rows(({ p50Ms }) => p50Ms), rows(({ p99Ms }) => p99Ms)]
  return [
    '# Benchmarks',
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}.`,
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...targets(run),
    '## Requests per second',
    `Medians of ${run.rounds} round${run.rounds === 1 ? '' : 's'} of ${run.seconds} s, with the slowest and the fastest round.`,
    ...chart ? [`![Requests per second of each case](${chart})`] : [],
    tableOf(ratesOf(run), titles, ({ value, least, most }) => `${whole(value)} (${whole(least)}–${whole(most)})`),
    ...failures(run),
    ...ratios(run),
    '## Latency',
    'Medians of the rounds, in milliseconds: 50th and 99th percentile.',
    tableOf(p50, titles, ({ value }) => decimals(value, 1)),
    tableOf(p99, titles, ({ value }) => decimals(value, 1)),
    '## Processor time of the server',
    'Microseconds for one request, user and system, without the database; of the embedded store with it.',
    tableOf(rows(({ cpuUs }) => cpuUs), titles, ({ value }) => whole(value)),
    'The same of the database:',
    tableOf(rows(({ databaseCpuUs }) => databaseCpuUs), titles, ({ value }) => Number.isFinite(value) ? whole(value) : ''),
    '## Memory of the server',
    memory(run)
  ].join('\n\n') + '\n'
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
