import cluster, { type Worker } from 'node:cluster'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import { Backoff } from '../lib/server/backoff.js'
import { statusOf } from '../lib/server/exit-status.js'
import { merge, type Family } from '../lib/server/registry.js'
import type { ToPrimary, ToWorker } from './messages.js'
import { Outages } from './outages.js'
import { SharedTurns } from './shared-turns.js'
import { STORE_URL } from './worker.js'

/** Longer than a worker takes to end by itself. */
const END_MARGIN_MS = 2_000

/** How often a worker that starts or ends is looked at. */
const POLL_MS = 20

/** How long a worker may take to tell its metrics: one whose event loop is held up is left out. */
const METRICS_LIMIT_MS = 1_000

export interface PrimaryOptions {
  config: Config
  log: FastifyBaseLogger
  /** The embedded store that all workers use, if there is one. */
  storeUrl?: string | undefined
}

/** How many workers the configuration asks for; with one there is no primary. */
export function workersOf ({ WORKERS }: Config): number {
  return WORKERS === 'auto' ? availableParallelism() : Number(WORKERS)
}

/** The workers of a server: each that ends is followed by another, and they are replaced one after the other without a pause. */
export class Workers {
  #options: PrimaryOptions
  #backoff = new Backoff()
  #started = new Map<Worker, number>()
  #serving = new Set<Worker>()
  /** Those whose place another one has taken. */
  #replaced = new Set<Worker>()
  /** The one that is to take the place of another. */
  #fresh = new Set<Worker>()
  #isEnding = false
  #hasServed = false
  #status = 0
  #rolling: Promise<void> = Promise.resolve()
  #end!: (status: number) => void
  #ended = new Promise<number>((resolve) => { this.#end = resolve })
  #count = 0
  #readings = new Map<number, (families: Family[]) => void>()
  #last = new Map<Worker, Family[]>()
  #turns = new SharedTurns<Worker>()
  /** What those that have ended had counted. */
  #past: Family[] = []

  #outages: Outages<Worker>

  constructor (options: PrimaryOptions) {
    this.#options = options
    this.#outages = new Outages(options.log)
    cluster.on('message', (worker, message: ToPrimary) => this.#hear(worker, message))
    cluster.on('exit', (worker, code, signal) => this.#exited(worker, code, signal))
  }

  /** Resolves with the exit status once all have ended. */
  async run (): Promise<number> {
    for (let count = workersOf(this.#options.config); count > 0; count--) this.#fork()
    return this.#ended
  }

  /** Passes on a signal that ends the server. */
  end (signal: NodeJS.Signals): void {
    this.#isEnding = true
    for (const worker of this.#started.keys()) {
      if (this.#serving.has(worker)) tell(worker, { type: 'signal', signal })
      // one that starts may not listen yet
      else worker.process.kill('SIGTERM')
    }
    this.#settle()
    const { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = this.#options.config
    setTimeout(() => {
      for (const worker of this.#started.keys()) worker.process.kill('SIGKILL')
    }, SHUTDOWN_DELAY_MS + SHUTDOWN_TIMEOUT_MS + END_MARGIN_MS).unref()
  }

  /** Ends at once, whatever is under way. */
  abort (): void {
    for (const worker of this.#started.keys()) worker.process.kill('SIGKILL')
  }

  /** Replaces each worker: a new one serves before the old one is told to end. */
  async roll (): Promise<void> {
    this.#rolling = this.#rolling.then(async () => {
      for (const old of [...this.#started.keys()]) if (!this.#isEnding && this.#started.has(old)) await this.#replace(old)
    })
    return this.#rolling
  }

  /** The metrics of all, as if they were one process. */
  async metrics (): Promise<Family[]> {
    const families = await Promise.all([...this.#serving].map(async (worker) => this.#read(worker)))
    return merge([this.#past, ...families])
  }

  #fork (): Worker {
    const { storeUrl } = this.#options
    const worker = cluster.fork(storeUrl === undefined ? {} : { [STORE_URL]: storeUrl })
    this.#started.set(worker, performance.now())
    return worker
  }

  async #replace (old: Worker): Promise<void> {
    this.#replaced.add(old)
    const fresh = this.#fork()
    this.#fresh.add(fresh)
    while (this.#started.has(fresh) && !this.#serving.has(fresh)) await sleep(POLL_MS)
    if (!this.#started.has(fresh)) {
      this.#options.log.error(`worker ${old.process.pid} goes on: the one that was to follow it did not start`)
      this.#replaced.delete(old)
      return
    }
    this.#fresh.delete(fresh)
    tell(old, { type: 'signal', signal: 'SIGTERM' })
    while (this.#started.has(old)) await sleep(POLL_MS)
  }

  #exited (worker: Worker, code: number | null, signal: string | null): void {
    const livedMs = performance.now() - (this.#started.get(worker) as number) // since it was forked
    const status = statusOf(code, this.#isEnding && signal === 'SIGTERM')
    this.#serving.delete(worker)
    this.#outages.ended(worker)
    this.#started.delete(worker)
    this.#turns.ended(worker)
    // what it counted stays; what it had does not
    this.#past = merge([this.#past, (this.#last.get(worker) ?? []).filter(({ type }) => type !== 'gauge')])
    this.#last.delete(worker)
    if (this.#isEnding) this.#status = Math.max(this.#status, status)
    else if (!this.#hasServed) {
      // what keeps the first ones from serving would keep all
      this.#status = status
      this.end('SIGTERM')
    } else if (!this.#replaced.delete(worker) && !this.#fresh.delete(worker)) this.#follow(worker, livedMs, signal ?? String(code))
    this.#settle()
  }

  /** The end, once nobody is left. */
  #settle (): void {
    if (this.#isEnding && this.#started.size === 0) this.#end(this.#status)
  }

  #follow (worker: Worker, livedMs: number, reason: string): void {
    const delayMs = this.#backoff.next(livedMs)
    this.#options.log.error(`worker ${worker.process.pid} ended (${reason}); another one starts in ${delayMs} ms`)
    setTimeout(() => { if (!this.#isEnding) this.#fork() }, delayMs)
  }

  #hear (worker: Worker, message: ToPrimary): void {
    if (message.type === 'listening') this.#serves(worker, message)
    else if (message.type === 'store') this.#outages.changed(worker, message.change)
    else if (message.type === 'ask metrics') this.metrics().then((families) => tell(worker, { type: 'metrics of all', id: message.id, families }))
    else if (message.type === 'ask turn') this.#turns.ask(worker, message.id).then((hasCome) => tell(worker, { type: 'turn', id: message.id, hasCome }))
    else if (message.type === 'end turn') this.#turns.end(worker, message.id)
    else {
      this.#last.set(worker, message.families)
      if (message.id !== undefined) this.#readings.get(message.id)?.(message.families)
    }
  }

  #serves (worker: Worker, { line, warnings }: Extract<ToPrimary, { type: 'listening' }>): void {
    this.#serving.add(worker)
    this.#outages.has(worker)
    if (this.#hasServed) return
    this.#hasServed = true
    const log = this.#options.log.child({}, { level: 'info' })
    log.info(`${line}, ${workersOf(this.#options.config)} workers`)
    for (const warning of warnings) log.warn(warning)
  }

  async #read (worker: Worker): Promise<Family[]> {
    const id = ++this.#count
    const read = new Promise<Family[]>((resolve) => this.#readings.set(id, resolve))
    tell(worker, { type: 'read metrics', id })
    const families = await Promise.race([read, sleep(METRICS_LIMIT_MS, this.#last.get(worker) ?? [], { ref: false })])
    this.#readings.delete(id)
    return families
  }
}

/** One that has ended meanwhile hears nothing, which is no error. */
function tell (worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => {})
}
