// Measures the API against its peers: npm run bench -- --help
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, hosts } from '../lib/mongodb/connect.js'
import { ask } from './answers.js'
import { chart } from './chart.js'
import { checkout } from './checkout.js'
import { startDatabase, versionOf, withPool } from './database.js'
import { differences } from './differences.js'
import { factsOf } from './facts.js'
import { chooseTool, type LoadTool } from './load/index.js'
import { timeLogins } from './login-timing.js'
import { measure, type Subject } from './measure.js'
import { HELP, parseOptions, type Options } from './options.js'
import { pin, usageOf } from './process.js'
import { ratesOf, report, type Run } from './report.js'
import { installPeers, startEmbedded, startOurs, startPeer, type Server, type Surroundings } from './servers.js'
import { soak } from './soak.js'
import { StudentCollection } from './students.js'

type Cleanup = () => unknown
type Start = (around: Surroundings) => Promise<Server>
const tell = (line: string) => console.error(line)

try {
  const options = parseOptions(process.argv.slice(2))
  // what was started ends with this process
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  if (options) await inFolder((folder, atEnd) => bench(options, folder, atEnd))
  else console.log(HELP)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** Gives work a folder of its own, and undoes what it started, last things first. */
async function inFolder (work: (folder: string, atEnd: (cleanup: Cleanup) => void) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const cleanups: Cleanup[] = []
  try {
    await work(folder, (cleanup) => cleanups.unshift(cleanup))
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}

async function bench (options: Options, folder: string, atEnd: (cleanup: Cleanup) => void): Promise<void> {
  const cores = options.isPinned ? await pin() : {}
  const database = await databaseOf(options, folder, atEnd)
  const tool = await chooseTool()
  tell('installing what is missing')
  await installPeers(options.peers)
  const other = options.compare === undefined ? undefined : await checkout(options.compare, folder)
  const around = { cores, folder, url: database.url, database: `bench_${process.pid}` }
  const subjects = await startAll(starts(options, other), around, atEnd)
  await compareAnswers(subjects)
  const facts = await factsOf(cores, database.title, tool.name, options.peers.length > 0)
  const logins = options.timesLogins ? await timeLogins(around) : undefined
  await publish({ ...await measureAll(options, subjects, tool, database.pid), logins, facts }, options.out)
}

async function databaseOf ({ url, secantusd }: Options, folder: string, atEnd: (cleanup: Cleanup) => void) {
  if (url !== undefined) return { url: withPool(url), pid: undefined, title: `a MongoDB server at ${hosts(url)}` }
  const database = await startDatabase(secantusd, join(folder, 'database'))
  atEnd(database.stop)
  return { url: withPool(database.url), pid: database.pid, title: await versionOf(secantusd) }
}

/** What starts the servers, ours first. */
function starts ({ peers, compare }: Options, other?: string): Start[] {
  if (compare === undefined || other === undefined) return [startOurs, ...peers.map((name) => (around: Surroundings) => startPeer(around, name))]
  return [
    startOurs,
    (around) => startOurs(around, { name: compare, root: other }),
    startEmbedded,
    (around) => startEmbedded(around, { name: `${compare}, embedded`, root: other })
  ]
}

async function startAll (starts: Start[], around: Surroundings, atEnd: (cleanup: Cleanup) => void): Promise<Subject[]> {
  const shared = await collectionAt(around.url, around, atEnd)
  const subjects: Subject[] = []
  for (const start of starts) {
    const server = await start(around)
    atEnd(server.stop)
    const { embeddedUrl } = server
    subjects.push({ server, collection: embeddedUrl === undefined ? shared : await collectionAt(embeddedUrl, around, atEnd) })
  }
  return subjects
}

async function collectionAt (url: string, { database }: Surroundings, atEnd: (cleanup: Cleanup) => void) {
  const client = await connect(url)
  const collection = new StudentCollection(client.db(database).collection('students'))
  atEnd(async () => {
    await collection.drop()
    await client.close()
  })
  return collection
}

/** Throws an Error with every difference between the answers of ours, the first of the servers, and of the others. */
async function compareAnswers ([ours, ...others]: Subject[]): Promise<void> {
  if (!ours) return
  const expected = await ask(ours.server, ours.collection)
  const found: string[] = []
  for (const { server, collection } of others) {
    const actual = await ask(server, collection)
    found.push(...differences(expected, actual, server.isConstant).map((difference) => `${server.title}, ${difference}`))
  }
  if (found.length > 0) throw new Error(`The servers do not answer alike:\n${found.join('\n')}`)
  if (others.length > 0) tell(`${others.length} servers answer as ours does`)
}

async function measureAll (options: Options, subjects: Subject[], tool: LoadTool, databasePid?: number): Promise<Omit<Run, 'facts'>> {
  const { cases, rounds, seconds, soakSeconds, compare } = options
  const restBytes = new Map<string, number>()
  for (const { server } of subjects) restBytes.set(server.name, (await usageOf(server.pid)).rssBytes)
  const samples = await measure({ cases, subjects, rounds, seconds, tool, databasePid, tell })
  const [ours] = subjects
  const soaked = soakSeconds > 0 && ours ? await soak(ours, soakSeconds, tool) : undefined
  const titles = new Map(subjects.map(({ server: { name, title } }) => [name, title]))
  return { cases, titles, pairs: pairsOf([...titles.keys()], compare), samples, soak: soaked, rounds, seconds, restBytes }
}

/** Ours beside each of the others; of two revisions, those on the same database. */
function pairsOf ([ours = '', ...others]: string[], compare?: string): [string, string][] {
  if (compare === undefined) return others.map((other) => [ours, other])
  const [revision = '', embedded = '', revisionEmbedded = ''] = others
  return [[ours, revision], [embedded, revisionEmbedded]]
}

async function publish (run: Run, out?: string): Promise<void> {
  if (out === undefined) {
    console.log(report(run))
    return
  }
  await writeFile(join(out, 'benchmarks.svg'), chart(ratesOf(run), [...run.titles.values()]))
  await writeFile(join(out, 'benchmarks.md'), report(run, 'benchmarks.svg'))
  tell(`written to ${out}`)
}
