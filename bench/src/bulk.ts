import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { Agent, request as ask } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from '@commander-js/extra-typings'
import { MongoClient } from 'mongodb'
import { median } from 'simple-statistics'
import { readBy } from './cases.js'
import { inFolder, toCount } from './command.js'
import { MACHINE, revision, today } from './facts.js'
import { wrk } from './measure.js'
import { usageOf, type Running } from './process.js'
import { megabytes, table, whole } from './report.js'
import { startEmbedded, startPeer, type Server } from './servers.js'
import { fill, studentOf } from './students.js'

/** Operations of one batch, and requests that do the same. */
const OPERATIONS = 1_000
const FORMATS = ['ndjson', 'csv'] as const
type Format = typeof FORMATS[number]
const TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' }
const BESIDE = { exports: 50, connections: 16, ids: 10_000 }

const options = new Command('bench:bulk')
  .description('Measures batches, imports and exports on the embedded store; exports beside a bare find().stream() on the same store.')
  .option('--students <n>', 'rows of a file, default 1000000', toCount)
  .option('--rounds <n>', 'rounds of what is short, default 3', toCount)
  .option('--out <file>', 'writes the report there: docs/bulk-benchmarks.md')

export const bulkCommand = options.action(async ({ students = 1_000_000, rounds = 3, out }) => inFolder(async (folder, atEnd) => {
  const ours = await startEmbedded({ cores: {}, folder, url: '', database: 'bench' })
  atEnd(ours.stop)
  const batch = await times(rounds, async () => batchBesideRequests(ours))
  const imports = []
  for (const format of FORMATS) {
    await drop(ours)
    imports.push({ format, ...await importFile(ours, await fileOf(folder, format, students), format, students) })
  }
  const bare = await startPeer({ cores: {}, folder, url: String(ours.embeddedUrl), database: 'bench' }, 'bare')
  atEnd(bare.stop)
  const exports = []
  for (let round = 0; round < rounds; round++) for (const format of FORMATS) exports.push({ format, ...await exportBeside(ours, bare, format) })
  const beside = await readsBesideExports(ours, folder)
  const text = await report({ students, rounds, batch, imports, exports, beside })
  if (out === undefined) console.log(text)
  else await writeFile(out, text)
}))

async function times<T> (count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < count) results.push(await work())
  return results
}

async function timed (work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1_000
}

/** How long as many creates take in one request, and in requests one after the other over one connection. */
async function batchBesideRequests ({ url }: Running) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const send = async (path: string, body: unknown) => sendTo(url + path, 'application/json', JSON.stringify(body), agent)
  const operations = Array.from({ length: OPERATIONS }, (_, n) => ({ op: 'create', data: studentOf(n) }))
  const alone = await timed(async () => { for (const { data } of operations) await send('/students/', data) })
  const together = await timed(async () => send('/students/batch', { operations }))
  agent.destroy()
  return { alone, together }
}

/** Sends a body and answers how it was answered; throws where that is no success. */
async function sendTo (url: string, type: string, body: string | NodeJS.ReadableStream, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = ask(url, { method: 'POST', headers: { 'content-type': type }, ...agent && { agent } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => answer.statusCode && answer.statusCode < 300 ? resolve(text) : reject(new Error(text)))
    }).on('error', reject)
    if (typeof body === 'string') sent.end(body)
    else body.pipe(sent)
  })
}

async function fileOf (folder: string, format: Format, count: number): Promise<string> {
  const path = join(folder, `students.${format}`)
  const file = createWriteStream(path)
  if (format === 'csv') file.write('name,email,course,gpa\n')
  for (let n = 0; n < count; n++) {
    const student = studentOf(n)
    const line = format === 'csv' ? Object.values(student).join() : JSON.stringify(student)
    if (!file.write(`${line}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'finish')
  return path
}

async function drop ({ embeddedUrl }: Server): Promise<void> {
  const client = await MongoClient.connect(String(embeddedUrl))
  const students = client.db('bench').collection('students')
  const indexes = (await students.indexes()).filter(({ name }) => name !== '_id_')
  await students.drop()
  // as a server has them from its start
  await students.createIndexes(indexes.map(({ key }) => ({ key })))
  await fill(students, 0)
  await client.close()
}

/** The most anonymous memory of a process while something is done, above that before it. */
async function growthOf<T> (pid: number, work: () => Promise<T>): Promise<{ result: T, growthBytes: number }> {
  await sleep(2_000)
  const rest = (await usageOf(pid)).anonBytes
  const looks: Promise<number>[] = []
  const timer = setInterval(() => looks.push(usageOf(pid).then(({ anonBytes }) => anonBytes)), 100)
  const result = await work().finally(() => clearInterval(timer))
  return { result, growthBytes: Math.max(rest, ...await Promise.all(looks)) - rest }
}

async function importFile ({ url, pid }: Server, path: string, format: Format, rows: number) {
  const { size } = await stat(path)
  const { result: seconds, growthBytes } = await growthOf(pid, async () => timed(async () => {
    const { created } = JSON.parse(await sendTo(`${url}/students/import`, TYPES[format], createReadStream(path))) as { created: number }
    if (created !== rows) throw new Error(`${created} of ${rows} rows were imported`)
  }))
  console.error(`import of ${rows} rows, ${format}, ${size} bytes: ${Math.round(rows / seconds)}/s`)
  return { perSecond: rows / seconds, growthBytes }
}

async function exportBeside (ours: Server, bare: Server, format: Format) {
  const { result: own, growthBytes } = await growthOf(ours.pid, async () => rowsPerSecond(`${ours.url}/students/export?format=${format}`))
  const theirs = await rowsPerSecond(`${bare.url}/students/export`)
  console.error(`export, ${format}: ${Math.round(own)}/s, bare ${Math.round(theirs)}/s`)
  return { own, theirs, growthBytes }
}

/** How fast rows come, of which nothing is kept. */
async function rowsPerSecond (url: string): Promise<number> {
  let rows = 0
  const seconds = await timed(async () => new Promise<void>((resolve, reject) => {
    ask(url, (answer) => {
      answer.on('data', (chunk: Buffer) => { for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows++ })
        .on('end', resolve).on('error', reject)
    }).on('error', reject).end()
  }))
  return rows / seconds
}

/** The 99th percentile of reads by id alone, and beside exports that go on all the while. */
async function readsBesideExports (ours: Server, folder: string) {
  const { students } = await (await fetch(`${ours.url}/students/?limit=1000&fields=id`)).json() as { students: { id: string }[] }
  const ids = students.map(({ id }) => id)
  const one = { ...readBy(BESIDE.connections), requests: ids.length, request: (n: number) => ({ method: 'GET' as const, path: `/students/${ids[n]}` }) }
  const alone = await wrk(one, ours, 5, folder)
  const controller = new AbortController()
  // a client that does next to nothing: it shares the cores with what it measures
  const endless = async () => {
    while (!controller.signal.aborted) {
      await new Promise<void>((resolve, reject) => {
        const request = ask(`${ours.url}/students/export`, (answer) => { answer.resume().on('end', resolve).on('error', reject) }).on('error', reject).end()
        controller.signal.addEventListener('abort', () => request.destroy(), { once: true })
      })
    }
  }
  const exports = Array.from({ length: BESIDE.exports }, async () => endless().catch(() => {}))
  await sleep(1_000)
  const beside = await wrk(one, ours, 10, folder)
  controller.abort()
  await Promise.all(exports)
  return { alone, beside }
}

interface Figures {
  students: number
  rounds: number
  batch: Awaited<ReturnType<typeof batchBesideRequests>>[]
  imports: ({ format: Format } & Awaited<ReturnType<typeof importFile>>)[]
  exports: ({ format: Format } & Awaited<ReturnType<typeof exportBeside>>)[]
  beside: Awaited<ReturnType<typeof readsBesideExports>>
}

async function report ({ students, rounds, batch, imports, exports, beside }: Figures): Promise<string> {
  const of = (format: Format) => exports.filter((one) => one.format === format)
  const [alone, together] = [median(batch.map((one) => one.alone)), median(batch.map((one) => one.together))]
  return [
    '# Benchmarks of many records at once',
    `Written by \`npm run bench:bulk\` on ${today()}, at revision ${await revision()}: ${whole(students)} students on the embedded store, Node ${process.version}, medians of ${rounds} rounds. ${MACHINE}, nothing is pinned: ` +
    'server, store and load share its cores.',
    table(['', 'measured', 'target'], [
      [`${whole(OPERATIONS)} creates in one batch, beside as many requests over one connection`, `${(together * 1_000).toFixed(0)} ms, ${(alone * 1_000).toFixed(0)} ms: ${(together / alone).toFixed(2)}`, 'at most 0.10'],
      ...imports.map(({ format, perSecond, growthBytes }) => [`import, ${format}`, `${whole(perSecond)} rows/s, at most ${megabytes(growthBytes)} more memory`, 'at least 20,000 rows/s']),
      ...FORMATS.map((format) => {
        const [own, theirs] = [median(of(format).map((one) => one.own)), median(of(format).map((one) => one.theirs))]
        const growth = Math.max(...of(format).map((one) => one.growthBytes))
        return [`export, ${format}, beside a bare find().stream() with JSON.stringify`, `${whole(own)} and ${whole(theirs)} rows/s: ${(own / theirs).toFixed(1)}; at most ${megabytes(growth)} more memory`, 'at least 5.0; at most 60 MB']
      }),
      [`p99 of reads by id, ${BESIDE.connections} connections, beside ${BESIDE.exports} exports`, `${beside.beside.p99Ms.toFixed(1)} ms, alone ${beside.alone.p99Ms.toFixed(1)} ms: ${(beside.beside.p99Ms / beside.alone.p99Ms).toFixed(1)}`, 'at most 2.0']
    ])
  ].join('\n\n') + '\n'
}
