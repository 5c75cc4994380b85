import cluster from 'node:cluster'
import type { LoginQueue } from '../lib/access/login-queue.js'
import { LoginsBusyError } from '../lib/http/errors.js'
import type { Family, Registry } from '../lib/server/registry.js'
import type { ToPrimary, ToWorker } from './messages.js'

/** In the environment of a worker: where the primary's embedded store is. It is a socket's path, or on Windows a URL with a token of this start. */
export const STORE_URL = 'STUDENT_COURSE_API_STORE_URL'

/** A worker's end of the line to its primary. */
export class PrimaryLine {
  #count = 0
  #asked = new Map<number, (families: Family[]) => void>()
  #turns = new Map<number, (hasCome: boolean) => void>()

  /** The line of this process, if it is a worker. */
  static open (): PrimaryLine | undefined {
    return cluster.isWorker ? new PrimaryLine() : undefined
  }

  /** Where the embedded store of the primary is, if it has one. */
  readonly storeUrl = process.env[STORE_URL]

  tell (message: ToPrimary): void {
    process.send?.(message)
  }

  onSignal (handle: (signal: NodeJS.Signals) => void): void {
    process.on('message', (message: ToWorker) => { if (message.type === 'signal') handle(message.signal) })
  }

  /** Has passwords checked in turns of all workers. */
  shareTurns (queue: LoginQueue): void {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'turn') this.#turns.get(message.id)?.(message.hasCome)
    })
    queue.take = async () => {
      const id = ++this.#count
      const hasCome = await new Promise<boolean>((resolve) => {
        this.#turns.set(id, resolve)
        this.tell({ type: 'ask turn', id })
      })
      this.#turns.delete(id)
      if (!hasCome) throw new LoginsBusyError()
      return () => this.tell({ type: 'end turn', id })
    }
  }

  /** Answers the primary with the metrics of this worker. */
  answerMetrics (registry: Registry): void {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'read metrics') this.tell({ type: 'metrics', id: message.id, families: registry.read() })
      if (message.type !== 'metrics of all') return
      this.#asked.get(message.id)?.(message.families)
      this.#asked.delete(message.id)
    })
  }

  /** The metrics of all workers. */
  async metricsOfAll (): Promise<Family[]> {
    const id = ++this.#count
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.tell({ type: 'ask metrics', id })
    })
  }
}
