import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Presets, SingleBar } from 'cli-progress'
import { parseKey } from '../lib/idempotency/key.js'
import type { ImportSummary } from '../lib/import/importer.js'
import { type ApiAnswer, type BulkValues, count, formatOf, isOf, PIPE, type Problem, problemIn, reasonOf, said, type Send, TYPES, UnreachableError, withApi } from './bulk.js'
import { Source } from './source.js'
import type { Surroundings } from './surroundings.js'
import { UsageError } from './user-commands.js'

export interface ImportValues extends BulkValues {
  onError?: 'stop' | 'continue' | undefined
  dryRun?: boolean | undefined
  key?: string | undefined
}

export interface Clock {
  now: () => number
  sleep: (ms: number) => Promise<unknown>
}

const CLOCK: Clock = { now: () => performance.now(), sleep }

/** How long it is tried again while no further row is taken. */
const PATIENCE_MS = 300_000

/** The first pause between two tries, which doubles, and the longest. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 15_000]

/** The most faults that are told. */
const MAX_TOLD = 20

/** What another try may help: of the API, of a proxy before it, and of a server that limits how long a request may take. */
const PASSING = [408, 502, 503, 504]

/** As problems in lines have no headers, there it is always a key that another try holds. */
const CONFLICT = 409

interface ImportProblem extends Problem {
  summary?: ImportSummary
}

type Last = { summary: ImportSummary } | { problem: ImportProblem, canGoOn: boolean }

/** What became of one try: the last word, or why it is worth another one, at the earliest after so long. */
type Outcome = Last | { broken: string, pauseMs: number }

interface Job {
  source: Source
  path: string
  query: string
  headers: Record<string, string>
  /** Rows that were done with, as far as it was told. */
  done: number
}

/** Takes in the records of a file; answers what to print. Throws where rows were refused, and where it is not complete. */
export async function importFile (file: string, values: ImportValues, surroundings: Surroundings, clock = CLOCK): Promise<string> {
  const { key = randomUUID(), dryRun: isDry = false } = values
  const job = await jobOf(file, values, key, surroundings)
  const last = await withApi(values, surroundings, async (send) => {
    // should the process be killed, nobody can tell it later
    if (values.key === undefined && !isDry) surroundings.stderr.write(`The key of this import is ${key}: with --key it can be gone on with.\n`)
    return untilLast(send, job, surroundings.stderr, clock)
  })
  const { summary } = 'problem' in last ? last.problem : last
  const lines = summary ? [...faultsIn(summary, file), totalOf(summary, isDry)] : []
  if ('problem' in last) {
    lines.push(last.canGoOn ? `The import is not complete: ${said(last.problem)}` : said(last.problem))
    if (last.canGoOn && !isDry) lines.push(`To go on${job.source.isRepeatable ? '' : ', with the same input from its beginning'}: ${commandFor(file, values, key)}`)
  } else if (last.summary.failed === 0) return totalOf(last.summary, isDry)
  throw new Error(lines.join('\n'))
}

async function jobOf (file: string, values: ImportValues, key: string, { stdin }: Surroundings): Promise<Job> {
  const { resource = 'students', onError, dryRun: isDry = false, token } = values
  const format = formatOf(file, values.format)
  if (file === PIPE && token !== undefined) throw new UsageError('Standard input cannot be both the file and the token: save the file first.')
  return {
    source: await Source.of(file, stdin),
    path: `/${encodeURIComponent(resource)}/import`,
    query: [...onError === undefined ? [] : [`onError=${onError}`], ...isDry ? ['dryRun=true'] : []].join('&'),
    headers: { accept: TYPES.ndjson, 'content-type': TYPES[format], 'idempotency-key': checkedKey(key) },
    done: 0
  }
}

function checkedKey (key: string): string {
  try {
    parseKey(key)
  } catch (error) {
    throw new UsageError((error as Error).message) // it throws nothing else
  }
  return key
}

/** Sends the file, and again under the same key until there is a last word or it takes too long. */
async function untilLast (send: Send, job: Job, stderr: NodeJS.WritableStream, { now, sleep }: Clock): Promise<Last> {
  let since = now()
  let pauseMs = FIRST_PAUSE_MS
  let isFirst = true
  for (;;) {
    const doneBefore = job.done
    const outcome = await attempt(send, job, stderr, isFirst)
    // a second try may have another end than the first one, which has stored some rows
    if ('problem' in outcome && !isFirst) return { ...outcome, canGoOn: true }
    if (!('broken' in outcome)) return outcome
    if (job.done > doneBefore) {
      since = now()
      pauseMs = FIRST_PAUSE_MS
    }
    if (!job.source.isRepeatable || now() - since > PATIENCE_MS) return { problem: { detail: outcome.broken }, canGoOn: true }
    const pause = Math.max(pauseMs, outcome.pauseMs)
    stderr.write(`${outcome.broken} Trying again in ${pause / 1_000} s.\n`)
    await sleep(pause)
    isFirst = false
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

async function attempt (send: Send, job: Job, stderr: NodeJS.WritableStream, isFirst: boolean): Promise<Outcome> {
  const { source } = job
  const bar = barOf(source, stderr)
  bar.start(source.size ?? 0, 0, { rows: 0 })
  const body = source.open((bytes) => bar.update(bytes))
  const onDone = (rows: number) => {
    bar.update({ rows })
    job.done = Math.max(job.done, rows)
  }
  try {
    return await sent(send, job, body, onDone, isFirst)
  } finally {
    bar.stop()
    body.destroy()
  }
}

async function sent (send: Send, { source, path, query, headers }: Job, body: Readable, onDone: (rows: number) => void, isFirst: boolean): Promise<Outcome> {
  try {
    return await outcomeOf(await send({ method: 'POST', path, query, headers, body }), onDone)
  } catch (error) {
    if (source.fault) throw source.fault
    // where there was never a server, it is the URL that is wrong
    if (isFirst && error instanceof UnreachableError) throw error
    return { broken: `The connection broke: ${reasonOf(error as Error)}.`, pauseMs: 0 } // nothing here throws anything else
  }
}

function barOf ({ size }: Source, stream: NodeJS.WritableStream): SingleBar {
  return size === undefined
    ? new SingleBar({ stream, format: '{rows} rows' })
    : new SingleBar({ stream, format: '{bar} {percentage}% | {rows} rows | {eta_formatted} left' }, Presets.shades_classic)
}

async function outcomeOf (answer: ApiAnswer, onDone: (rows: number) => void): Promise<Outcome> {
  const { status, headers, body } = answer
  const retryAfter = headers['retry-after']
  if (status !== 200 || !isOf(headers, TYPES.ndjson)) {
    const problem = await problemIn<ImportProblem>(answer)
    const isPassing = PASSING.includes(status) || (status === CONFLICT && retryAfter !== undefined)
    return isPassing ? { broken: said(problem), pauseMs: 1_000 * (Number(retryAfter) || 0) } : { problem, canGoOn: false }
  }
  for await (const line of linesOf(body)) {
    const { progress, summary, problem } = JSON.parse(line) as Line // as the API writes them
    if (progress) onDone(progress.created + progress.failed)
    if (summary) return { summary }
    if (problem) return [...PASSING, CONFLICT].some((status) => status === problem.status) ? { broken: problem.detail, pauseMs: 0 } : { problem, canGoOn: problem.summary !== undefined }
  }
  return { broken: 'The answer has no end.', pauseMs: 0 }
}

/** A line of an answer: one of these. */
interface Line {
  progress?: Omit<ImportSummary, 'faults'>
  summary?: ImportSummary
  problem?: ImportProblem
}

async function * linesOf (body: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const text of body.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n')
    rest = String(lines.pop())
    yield * lines
  }
}

function faultsIn ({ faults, failed }: ImportSummary, file: string): string[] {
  const lines = faults.slice(0, MAX_TOLD).map(({ line, pointer, detail }) => `${file}:${line}: ${pointer === undefined ? '' : `${pointer} `}${detail}`)
  const more = faults.length - lines.length
  // the API tells a thousand faults, and counts all rows that have some
  const isAll = new Set(faults.map(({ row }) => row)).size >= failed
  return more > 0 ? [...lines, `and ${isAll ? '' : 'at least '}${count(more, 'more fault')}`] : lines
}

function totalOf ({ rows, created, failed }: ImportSummary, isDry: boolean): string {
  return `${count(rows, 'row')} read: ${created} ${isDry ? 'would be created' : 'created'}, ${failed} refused.`
}

/** The command that goes on with an import. */
function commandFor (file: string, { format, resource, url, token, onError }: ImportValues, key: string): string {
  const given = Object.entries({ format, 'on-error': onError, resource, url, token, key })
  const words = ['student-course-api', 'import', file, ...given.flatMap(([name, value]) => value === undefined ? [] : [`--${name}`, value])]
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
