// Measures the embedded store beside SecantusDB's Rust server, through the driver: npm run bench:embedded -- --help
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import { find } from '../embedded/index.js'
import { startDatabase, versionOf } from './database.js'
import { revision } from './facts.js'
import { measureOperations, type Rates } from './operations.js'
import { fromRoot, start, type Running } from './process.js'
import { measureSize, scanHoldUp, type Sizes } from './size.js'
import { table } from './table.js'

const HELP = `npm run bench:embedded -- [OPTION]...

  --rounds N         alternating rounds, default 5
  --seconds N        length of each measurement, default 2
  --quick            one round of a tenth of a second, and small stores
  --secantusd PATH   SecantusDB's Rust server, default $SECANTUSD or secantusd-rs
  --out FILE         writes the report there: docs/embedded-benchmarks.md
`

const OURS = 'embedded'
const THEIRS = 'SecantusDB'

/** What the prototype reached: its rate divided by SecantusDB's. */
const PROTOTYPE: Record<string, number> = { 'find by id x64': 2.4, '1000 raw documents': 4, 'insertOne x64': 3.2, '$inc x64': 2.3 }

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    secantusd: { type: 'string', default: process.env.SECANTUSD ?? 'secantusd-rs' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
const { quick, secantusd, out } = values
const rounds = Number(values.rounds ?? (quick ? 1 : 5))
const seconds = Number(values.seconds ?? (quick ? 0.1 : 2))

if (values.help) console.log(HELP)
else {
  // what was started ends with this process
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await measure(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function measure (folder: string): Promise<void> {
  const rates = await compare(folder)
  const heldUp = await atStore(join(folder, 'scan'), ({ url }) => scanHoldUp(url, quick ? 5_000 : 100_000, seconds * 2))
  const startIn = async (name: string) => startStore(join(folder, name))
  const sizes = await measureSize(startIn, { few: 1_000, many: quick ? 10_000 : 1_000_000, rounds, seconds })
  const text = await report(rates, heldUp, sizes)
  if (out === undefined) console.log(text)
  else await writeFile(out, text)
}

/** The rates of both, by operation: in each round one after the other. */
async function compare (folder: string): Promise<Map<string, Rates>> {
  const database = await startDatabase(secantusd, join(folder, 'secantus'), ['--sync-on-commit'])
  const store = await startStore(join(folder, 'store'))
  const clientOf = ({ url }: Running) => new MongoClient(url, { maxPoolSize: 64 })
  const clients = new Map([[OURS, clientOf(store)], [THEIRS, clientOf(database)]])
  try {
    return await measureOperations(clients, { rounds, seconds, scanned: quick ? 1_000 : 20_000, tell: (line) => console.error(line) })
  } finally {
    await Promise.all([...clients.values()].map((client) => client.close()))
    await Promise.all([store.stop(), database.stop()])
  }
}

async function atStore<T> (directory: string, work: (store: Running) => Promise<T>): Promise<T> {
  const store = await startStore(directory)
  try {
    return await work(store)
  } finally {
    await store.stop()
  }
}

async function startStore (directory: string): Promise<Running> {
  await mkdir(directory, { recursive: true })
  const store = await start({ command: process.execPath, args: [fromRoot('dist/bench/store.js'), directory] }, '', async () => await find(directory) !== undefined)
  return { ...store, url: await find(directory) ?? '' } // it was there a moment ago
}

async function report (rates: Map<string, Rates>, heldUp: Awaited<ReturnType<typeof scanHoldUp>>, sizes: Sizes): Promise<string> {
  const perSecond = (value: number) => Math.round(value).toLocaleString('en')
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  const rows = Object.entries(rates.get(OURS) ?? {}).map(([name, ours]) => {
    const theirs = rates.get(THEIRS)?.[name] ?? NaN // both were measured with the same operations
    return [name, perSecond(ours), perSecond(theirs), (ours / theirs).toFixed(2), PROTOTYPE[name]?.toString() ?? '']
  })
  return [
    '# Benchmarks of the embedded store',
    `Written by \`npm run bench:embedded\` on ${new Date().toISOString().slice(0, 10)}: medians of ${rounds} alternating rounds of ${seconds} s.`,
    [
      `- Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory; everything runs on it, nothing is pinned.`,
      `- The embedded store at revision ${await revision()}, in a process of its own, Node ${process.version}; ${await versionOf(secantusd)}, with \`--sync-on-commit\`.`,
      '- Load: the official driver, in one process, with so many operations under way at once as the name says.'
    ].join('\n'),
    '## Operations per second',
    table(['Operation', OURS, THEIRS, 'ratio', "the prototype's ratio"], rows),
    '## A walk over all documents beside finds by id',
    `Find by id, one after the other, while a filter on ${perSecond(heldUp.documents)} documents without an index is counted over and over (${heldUp.scans} times): ` +
    `p99 ${heldUp.p99Ms.toFixed(1)} ms, beside ${heldUp.aloneP99Ms.toFixed(1)} ms without; at most 10 ms are due.`,
    '## Many students',
    table(['', ...sizes.map(({ documents }) => `${perSecond(documents)} students`), 'due'], [
      ['start, ms', ...sizes.map(({ startMs }) => startMs.toFixed(0)), 'below 1000'],
      ['find by id x64, per second', ...sizes.map(({ findsPerSecond }) => perSecond(findsPerSecond)), 'within 20%'],
      ['anonymous memory after it', ...sizes.map(({ anonBytes }) => megabytes(anonBytes)), 'at most 150 MB above that of the few']
    ])
  ].join('\n\n') + '\n'
}
