import { open, rename, rm, stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SingleBar } from 'cli-progress'
import { type ApiAnswer, type BulkValues, count, type Format, formatOf, isOf, PIPE, problemIn, reasonOf, said, TYPES, withApi } from './bulk.js'
import type { Surroundings } from './surroundings.js'
import { UsageError } from './user-commands.js'

export interface ExportValues extends BulkValues {
  excel?: boolean | undefined
  query?: string | undefined
  force?: boolean | undefined
}

const LF = 0x0a
const QUOTE = 0x22

/** Writes the records that meet a query to a file, which is there once it is whole; answers what to print. */
export async function exportFile (file: string, values: ExportValues, surroundings: Surroundings): Promise<string | undefined> {
  const { excel = false, query = '', resource = 'students', force = false } = values
  const format = formatOf(file, values.format)
  if (excel && format !== 'csv') throw new UsageError('--excel is for CSV.')
  if (file !== PIPE) await refuseTaken(file, force)
  return withApi(values, surroundings, async (send) => {
    const parameters = [query.replace(/^\?/, '').replaceAll('#', '%23'), `format=${format}`, ...excel ? ['excel=true'] : []]
    const answer = await send({ method: 'GET', path: `/${encodeURIComponent(resource)}/export`, query: parameters.filter(Boolean).join('&'), headers: { accept: TYPES[format] } })
    // a page that answers everything is no export
    if (answer.status !== 200 || !isOf(answer.headers, TYPES[format])) throw new Error(said(await problemIn(answer)))
    const rows = await take(answer, { file, format, isForced: force }, surroundings)
    const done = `${count(rows, 'record')} exported.`
    if (file !== PIPE) return done
    surroundings.stderr.write(`${done}\n`)
  })
}

/** Throws where the file is there, or could not be put in the place of what is there. */
async function refuseTaken (file: string, isForced: boolean): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there && !there.isFile()) throw new Error(`${file} is not a file. For a pipe, the file is ${PIPE}.`)
  if (isForced) return
  if (there) throw new Error(`${file} is there already: --force overwrites it.`)
  if (await stat(partOf(file)).catch(() => undefined)) {
    throw new Error(`${partOf(file)} is there already: another export is under way, or one was ended before its end. Remove that file, or overwrite it by --force.`)
  }
}

function partOf (file: string): string {
  return `${file}.part`
}

interface Target {
  file: string
  format: Format
  isForced: boolean
}

/** Takes the rows of the answer to where they go; answers how many they are. */
async function take ({ body }: ApiAnswer, { file, format, isForced }: Target, { stdout, stderr }: Surroundings): Promise<number> {
  const counter = new RowCounter(format)
  const started = performance.now()
  const bar = new SingleBar({ stream: stderr, format: '{value} records, {rate} a second' })
  bar.start(0, 0, { rate: 0 })
  const counted = async function * (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      counter.take(chunk)
      bar.update(counter.rows, { rate: Math.round(counter.rows / (performance.now() - started) * 1_000) })
      yield chunk
    }
  }
  try {
    if (file === PIPE) await pipeline(body, counted, stdout, { end: false })
    else await whole(file, isForced, async (part) => pipeline(body, counted, part))
  } catch (error) {
    throw new Error(`The export is not complete: ${reasonOf(error as Error)}. ${file === PIPE ? 'What came out ends too early.' : `${file} is not written.`}`) // nothing here throws anything else
  } finally {
    bar.stop()
  }
  return counter.rows
}

/** The file gets its name once it is whole and on the disk. */
async function whole (file: string, isForced: boolean, write: (part: Writable) => Promise<void>): Promise<void> {
  const part = partOf(file)
  const handle = await open(part, isForced ? 'w' : 'wx')
  try {
    await write(handle.createWriteStream({ flush: true }))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Counts the rows of a file that comes in pieces: lines, in CSV those outside of quotes and without the header. */
export class RowCounter {
  #lines = 0
  #isQuoted = false
  #isCsv: boolean

  constructor (format: Format) {
    this.#isCsv = format === 'csv'
  }

  get rows (): number {
    return this.#isCsv ? Math.max(0, this.#lines - 1) : this.#lines
  }

  take (chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === LF && !this.#isQuoted) this.#lines++
      else if (byte === QUOTE && this.#isCsv) this.#isQuoted = !this.#isQuoted
    }
  }
}
