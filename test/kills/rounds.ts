import { setTimeout as sleep } from 'node:timers/promises'
import type { Below } from '../chaos/corruption.js'
import type { Api } from './api.js'
import type { KillAt } from './commands.js'
import { ask, type Answer } from './http.js'
import { isReplayed, outcomeOf, type Keyed } from './judge.js'

/** Requests that are sent at about the same time. */
const WAVE = 8
const RETRIES = 4
const SPREAD_MS = 15

/** One in so many is a batch, of so many students. */
const BATCHES = 8
const BATCH = 3

/** A step that is not reached within so many waves never is. */
const MAX_WAVES = 50

/** After the last kill: how often, and how long between two tries. */
const MAX_TRIES = 60
const RETRY_MS = 500

const DIE = new URL('./die.js', import.meta.url)

/** A request with all that became of it. */
export interface Tried extends Keyed {
  tries: number
  /** The first answer that was no `wait`. */
  answer?: Answer
  /** The name of the kill that cut it first. */
  cutBy?: string
  /** How many students of its emails are there in the end. */
  found: number
  wrong: string[]
}

/** Sends requests with keys to a server that is killed, and again until each has its answer. */
export class Rounds {
  readonly requests: Tried[] = []
  /** What went wrong beside single requests. */
  readonly wrong: string[] = []
  /** Answers that said to come again. */
  waits = 0
  #api: Api
  #below: Below

  constructor (api: Api, below: Below) {
    this.#api = api
    this.#below = below
  }

  /** Starts the server, and sends requests until it ends itself. */
  async untilKilled (at: KillAt, name: string): Promise<void> {
    await this.#api.start({ KILL_AT: JSON.stringify(at) }, DIE)
    let isCut = false
    for (let wave = 0; !isCut && wave < MAX_WAVES; wave++) isCut = await this.#wave(name)
    const ended = await Promise.race([this.#api.exited, sleep(RETRY_MS)])
    if (ended?.signal !== 'SIGKILL') this.wrong.push(`${name}, command ${at.nth}: ${ended ? `ended with ${ended.code ?? ended.signal}: ${this.#api.output.slice(-2_000)}` : 'not reached'}`)
    await this.#api.kill()
  }

  /** Sends what has no answer yet until all have one. The server is running. */
  async finish (): Promise<void> {
    for (let count = 0; this.#open().length > 0 && count < MAX_TRIES; count++) {
      await Promise.all(this.#open().map(async (request) => this.#try(request, 'none')))
      if (this.#open().length > 0) await sleep(RETRY_MS)
    }
    for (const request of this.#open()) request.wrong.push('has no answer in the end')
  }

  /** Whether a connection was cut. */
  async #wave (name: string): Promise<boolean> {
    const open = this.#open()
    const again = Array.from({ length: Math.min(RETRIES, open.length) }, () => open.splice(this.#below(open.length), 1)).flat()
    const fresh = Array.from({ length: WAVE - again.length }, () => this.#fresh())
    const sent = [...again, ...fresh].map((request) => ({ request, afterMs: this.#below(SPREAD_MS) }))
    const cuts = await Promise.all(sent.map(async ({ request, afterMs }) => {
      await sleep(afterMs)
      return this.#try(request, name)
    }))
    return cuts.includes(true)
  }

  #open (): Tried[] {
    return this.requests.filter(({ answer, wrong }) => !answer && wrong.length === 0)
  }

  #fresh (): Tried {
    const number = this.requests.length
    const isBatch = this.#below(BATCHES) === 0
    const students = Array.from({ length: isBatch ? BATCH : 1 }, (_, index) =>
      ({ name: `Student ${number}`, email: `k${number}.${index}@example.com`, course: 'Kills', gpa: 3.5 }))
    const request: Tried = { key: `key-${number}`, isBatch, students, tries: 0, found: 0, wrong: [] }
    this.requests.push(request)
    return request
  }

  /** Whether the connection was cut. */
  async #try (request: Tried, name: string): Promise<boolean> {
    request.tries++
    const answer = await sendKeyed(this.#api.url, request)
    const outcome = outcomeOf(request, answer)
    if (outcome === 'cut') request.cutBy ??= name
    if (outcome === 'wait') this.waits++
    if (outcome === 'answered' && answer) request.answer = answer
    if (outcome === 'wrong') request.wrong.push(`was answered ${answer?.status} ${JSON.stringify(answer?.body)}`)
    if (request.tries === 1 && answer && isReplayed(answer)) request.wrong.push('was a replay the first time')
    return outcome === 'cut'
  }
}

export async function sendKeyed (url: string, { key, isBatch, students }: Keyed): Promise<Answer | undefined> {
  const body = isBatch ? { operations: students.map((data) => ({ op: 'create', data })) } : students[0]
  return ask(`${url}/students/${isBatch ? 'batch' : ''}`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"` }, body: JSON.stringify(body)
  }).answer
}
