import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { MongoClient } from 'mongodb'
import { compareAnswers } from './answers.js'
import { CASES } from './cases.js'
import { chart } from './chart.js'
import { countFrom, inFolder, namesOf, secantusd, toCount, type AtEnd } from './command.js'
import { factsOf } from './facts.js'
import { timeLogins } from './login-timing.js'
import { measure, soak, type Subject } from './measure.js'
import { need, pin } from './process.js'
import { FEWEST_STUDENTS, pageCase, pageCases } from './pages.js'
import { report, rowsOf, type Run } from './report.js'
import {
  checkout, installPython, PEERS, startDatabase, startEmbedded, startOurs, startPeer, versionOf, withPool, type Server, type Surroundings
} from './servers.js'
import { LIST_LIMIT, StudentCollection } from './students.js'

const CASE_NAMES = [...CASES, ...pageCases(FEWEST_STUDENTS)].map(({ name }) => name)

const command = new Command('bench')
  .description('Measures the API against its peers.')
  .option('--rounds <n>', 'rounds of each case, default 3', toCount)
  .option('--seconds <n>', 'length of one measurement, default 3; four times as much for list-1000 and the pages', toCount)
  .option('--cases <a,b>', `only these cases: ${CASE_NAMES.join(', ')}`, namesOf(CASE_NAMES))
  .option('--peers <a,b>', `only these beside ours: ${PEERS.join(', ')}`, namesOf(PEERS))
  .option('--pages-of <n>', 'how many students the pages are of, default 1,000,000', countFrom(FEWEST_STUDENTS))
  .option('--quick', `one round of one second each, and pages of ${FEWEST_STUDENTS} students`)
  .option('--soak', 'also five minutes of the mix, and the memory at their end against that at one minute')
  .option('--login-timing', 'only the times of failed logins, which a whole run has too')
  .addOption(new Option('--compare <rev>', 'compares with another revision of this project in place of the peers').conflicts('peers'))
  .option('--url <url>', "a MongoDB server; default: starts SecantusDB's Rust server")
  .addOption(secantusd)
  .option('--no-pin', 'leaves the cores to the system')
  .option('--out <folder>', 'writes benchmarks.md and benchmarks.svg there: default docs, for a whole run')

type Options = ReturnType<typeof command.opts>

/** What is measured. A run of all cases and peers is a whole one. */
function planOf ({ rounds, seconds, cases, peers, pagesOf, quick, loginTiming, compare, out }: Options) {
  const isWhole = !quick && !loginTiming && [compare, cases, peers, pagesOf].every((value) => value === undefined)
  return {
    rounds: rounds ?? (quick ? 1 : 3),
    seconds: seconds ?? (quick ? 1 : 3),
    cases: [...CASES, ...pageCases(pagesOf ?? (quick ? FEWEST_STUDENTS : 1_000_000))].filter(({ name }) => cases?.includes(name) ?? !loginTiming),
    peers: PEERS.filter((name) => peers?.includes(name) ?? (!loginTiming && compare === undefined)),
    timesLogins: loginTiming || isWhole,
    out: out ?? (isWhole ? 'docs' : undefined)
  }
}

export const benchCommand = command.action(async (options) => inFolder(async (folder, atEnd) => {
  const { soak: soaks, quick, compare, pin: pins } = options
  const { cases, rounds, seconds, peers, timesLogins, out } = planOf(options)
  await need('wrk', "It sends the requests: install the system's package of that name.")
  const cores = pins ? await pin() : {}
  const database = await databaseOf(options, folder, atEnd)
  if (peers.includes('fastapi')) await installPython()
  const around = { cores, folder, url: database.url, database: `bench_${process.pid}` }
  const subjects = await startAll(around, atEnd, peers, compare)
  await compareAnswers(subjects)
  await pageCase(3, LIST_LIMIT, 3).open?.(subjects) // also where no page is measured
  const facts = await factsOf(cores, database.title, peers.length > 0)
  const logins = timesLogins ? await timeLogins(around) : undefined
  const samples = await measure(cases, subjects, { rounds, seconds, folder, databasePid: database.pid })
  const soaked = soaks && subjects[0] ? await soak(subjects[0], quick ? 10 : 300, folder) : undefined
  await publish({ cases, servers: subjects, pairs: pairsOf(subjects, compare), samples, soak: soaked, logins, rounds, seconds, facts }, out)
}))

async function databaseOf ({ url, secantusd }: Options, folder: string, atEnd: AtEnd) {
  if (url !== undefined) return { pid: undefined, ...withPool(url) }
  const database = await startDatabase(secantusd, join(folder, 'database'))
  atEnd(database.stop)
  return { pid: database.pid, ...withPool(database.url), title: await versionOf(secantusd) }
}

/** Starts ours, and the peers or another revision of it. */
async function startAll (around: Surroundings, atEnd: AtEnd, peers: string[], revision?: string): Promise<Subject[]> {
  const starts = [async () => startOurs(around), ...peers.map((name) => async () => startPeer(around, name))]
  if (revision !== undefined) {
    const root = await checkout(revision, around.folder)
    const other = async () => startOurs(around, revision, root)
    starts.push(other, async () => startEmbedded(around), async () => startEmbedded(around, `${revision}, embedded`, root))
  }
  const shared = await collectionAt(around.url, around.database, atEnd)
  const subjects: Subject[] = []
  for (const start of starts) {
    const server = await start()
    atEnd(server.stop)
    subjects.push({ ...server, collection: server.embeddedUrl === undefined ? shared : await collectionAt(server.embeddedUrl, around.database, atEnd) })
  }
  return subjects
}

async function collectionAt (url: string, database: string, atEnd: AtEnd): Promise<StudentCollection> {
  const client = await MongoClient.connect(url)
  const collection = new StudentCollection(client.db(database).collection('students'))
  atEnd(async () => {
    await collection.drop()
    await client.close()
  })
  return collection
}

/** Ours beside each of the others; of two revisions, those on the same database. */
function pairsOf ([ours, ...others]: Server[], compare?: string): Run['pairs'] {
  const pairs = compare === undefined ? others.map((other) => [ours, other]) : [[ours, others[0]], [others[1], others[2]]]
  return pairs.map((pair) => pair.map((server) => String(server?.title)))
}

async function publish (run: Run, out?: string): Promise<void> {
  if (out === undefined) return console.log(report(run))
  await writeFile(join(out, 'benchmarks.svg'), chart(rowsOf(run), run.servers.map(({ title }) => title)))
  await writeFile(join(out, 'benchmarks.md'), report(run, 'benchmarks.svg'))
  console.error(`written to ${out}`)
}
