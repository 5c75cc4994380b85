import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { MongoClient } from 'mongodb'
import { find } from '../../dist/embedded/index.js'
import { startDatabase, versionOf } from './servers.js'
import { MACHINE, revision, today } from './facts.js'
import { measureHoldUp, measureOperations, measureSizes, type AtStore } from './operations.js'
import { fromRoot, start, type Running } from './process.js'
import { megabytes, table, whole } from './report.js'
import { inFolder, secantusd, toCount } from './command.js'

/** What the prototype reached: its rate divided by SecantusDB's. */
const PROTOTYPE: Record<string, number> = { 'find by id x64': 2.4, '1000 raw documents': 4, 'insertOne x64': 3.2, '$inc x64': 2.3 }

const options = new Command('bench:embedded')
  .description("Measures the embedded store beside SecantusDB's Rust server, through the driver.")
  .option('--rounds <n>', 'alternating rounds, default 5', toCount)
  .option('--seconds <n>', 'length of each measurement, default 2', toCount)
  .option('--quick', 'one round of a tenth of a second, and small stores')
  .addOption(secantusd)
  .option('--out <file>', 'writes the report there: docs/embedded-benchmarks.md')

type Options = ReturnType<typeof options.opts>

export const embeddedCommand = options.action(async (options) => inFolder(async (folder) => {
  const text = await measure(options, folder)
  if (options.out === undefined) console.log(text)
  else await writeFile(options.out, text)
}))

async function measure ({ quick, secantusd, rounds = quick ? 1 : 5, seconds = quick ? 0.1 : 2 }: Options, folder: string): Promise<string> {
  const plan = { rounds, seconds }
  const atStore: AtStore = async (name, work) => at(await startStore(join(folder, name)), work)
  const rates = await at(await startDatabase(secantusd, join(folder, 'secantus'), ['--sync-on-commit']), async (theirs) =>
    atStore('store', async (ours) => measureOperations([ours, theirs], quick ? 1_000 : 20_000, plan)))
  const heldUp = await atStore('scan', async (client) => measureHoldUp(client, quick ? 5_000 : 100_000, seconds * 2))
  const sizes = await measureSizes(atStore, [1_000, quick ? 10_000 : 1_000_000], plan)
  return [
    '# Benchmarks of the embedded store',
    `Written by \`npm run bench:embedded\` on ${today()}: medians of ${rounds} alternating rounds of ${seconds} s.`,
    [
      `- Machine: ${MACHINE}, nothing is pinned.`,
      `- The embedded store at revision ${await revision()}, in a process of its own, Node ${process.version}; ${await versionOf(secantusd)}, with \`--sync-on-commit\`.`,
      '- Load: the official driver, in one process, with so many operations under way at once as the name says.'
    ].join('\n'),
    '## Operations per second',
    table(['Operation', 'embedded', 'SecantusDB', 'ratio', "the prototype's ratio"], [...rates].map(([name, [ours = NaN, theirs = NaN]]) =>
      [name, whole(ours), whole(theirs), (ours / theirs).toFixed(2), PROTOTYPE[name]?.toString() ?? ''])),
    '## A walk over all documents beside finds by id',
    `Find by id, one after the other, while a filter on ${whole(heldUp.documents)} documents without an index is counted over and over (${heldUp.scans} times): ` +
    `p99 ${heldUp.p99Ms.toFixed(1)} ms, beside ${heldUp.aloneP99Ms.toFixed(1)} ms without; at most 10 ms are due.`,
    '## Many students',
    table(['', ...sizes.map(({ documents }) => `${whole(documents)} students`), 'due'], [
      ['start, ms', ...sizes.map(({ startMs }) => startMs.toFixed(0)), 'below 1000'],
      ['find by id x64, per second', ...sizes.map(({ findsPerSecond }) => whole(findsPerSecond)), 'within 20%'],
      ['anonymous memory after it', ...sizes.map(({ anonBytes }) => megabytes(anonBytes)), 'at most 150 MB above that of the few']
    ])
  ].join('\n\n') + '\n'
}

async function startStore (directory: string): Promise<Running> {
  await mkdir(directory, { recursive: true })
  const command = [process.execPath, fromRoot('bench/dist/store.js'), directory]
  const store = await start({ command }, '', async () => await find(directory) !== undefined)
  return { ...store, url: await find(directory) ?? '' } // it was there a moment ago
}

async function at<T> (store: Running, work: (client: MongoClient, store: Running) => Promise<T>): Promise<T> {
  const client = new MongoClient(store.url)
  try {
    return await work(client, store)
  } finally {
    await client.close()
    await store.stop()
  }
}
