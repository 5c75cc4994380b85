// Cuts imports with a key at random, goes on with the same file, and judges what is stored in the end: npm run cuts
//   --cuts 50   --rows 100000   --seed N   --database embedded|secantus
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { RandomBson } from '../random-bson.js'
import { Api } from './api.js'
import { formats, makeFile } from './file.js'
import { Imports, kinds, type Imported } from './imports.js'
import { printTable } from './table.js'

/** A key is kept from others for four times as long; four batches of a thousand rows at once have to be stored within it. */
const TIMEOUTS_MS: Record<string, number> = { embedded: 500, secantus: 2_500 }
const SHOWN = 20

const { values: options } = parseArgs({
  options: {
    cuts: { type: 'string', default: '50' },
    rows: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
    database: { type: 'string', default: 'embedded' }
  }
})

const random = new RandomBson(Number(options.seed))
const below = (limit: number): number => random.below(limit)
const folder = await mkdtemp(join(tmpdir(), 'cuts-'))
const api = new Api(options.database, folder, TIMEOUTS_MS[options.database] ?? 0)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cleanUp().finally(() => process.exit(1)))
try {
  process.exitCode = await run()
} finally {
  await cleanUp()
}

async function cleanUp (): Promise<void> {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
}

async function run (): Promise<number> {
  const started = performance.now()
  console.log(`${options.cuts} cuts of files with ${options.rows} rows on ${options.database}, seed ${options.seed}`)
  await api.start()
  const imports = new Imports(api, Number(options.cuts), below)
  const files: Imported[] = []
  while (imports.left > 0) {
    const begun = performance.now()
    const file = makeFile(files.length, formats[files.length % formats.length] ?? 'NDJSON', Number(options.rows), below)
    const imported = await imports.import(file)
    files.push(imported)
    console.log(`file ${files.length}: ${imported.cuts.map(({ kind, marked }) => `${kind} after ${marked} rows`).join(', ') || 'no cut'}, ${Math.round(performance.now() - begun)} ms`)
  }
  const wrong = files.flatMap((file, index) => wrongIn(file).map((each) => `file ${index + 1}: ${each}`))
  report(files)
  for (const each of wrong.slice(0, SHOWN)) console.log(each.slice(0, 2_000))
  console.log(`sent ${imports.sent} times, of which ${imports.waits[409]} were 409 and ${imports.waits[503]} were 503; ${wrong.length} violations, ${Math.round((performance.now() - started) / 1_000)} s`)
  return wrong.length === 0 ? 0 : 1
}

function wrongIn ({ tally, wrong }: Imported): string[] {
  return [...Object.entries(tally).filter(([, count]) => count > 0).map(([name, count]) => `${count} rows are ${name}`), ...wrong]
}

/** A file counts for each kind of cut that it met. */
function report (files: readonly Imported[]): void {
  const row = (name: string, cuts: number, of: readonly Imported[]) => {
    const sum = (count: (file: Imported) => number) => of.reduce((total, file) => total + count(file), 0)
    return [name, cuts, of.length, of.length * Number(options.rows), sum(({ tally }) => tally.twice), sum(({ tally }) => tally.missing)]
  }
  const cuts = files.flatMap((file) => file.cuts)
  const met = kinds.filter((kind) => cuts.some((cut) => cut.kind === kind))
  printTable(['Cut', 'Cuts', 'Files', 'Their rows', 'Twice', 'Missing'], [
    ...met.map((kind) => row(kind, cuts.filter((cut) => cut.kind === kind).length, files.filter((file) => file.cuts.some((cut) => cut.kind === kind)))),
    row('all', cuts.length, files)
  ])
}
