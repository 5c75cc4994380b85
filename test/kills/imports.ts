import { setTimeout as sleep } from 'node:timers/promises'
import type { Below } from '../chaos/corruption.js'
import { digestOf } from '../../lib/idempotency/key.js'
import type { KeyDocument } from '../../lib/idempotency/keys.js'
import type { Api } from './api.js'
import { KEYS, STUDENTS } from './commands.js'
import type { RowFile } from './file.js'
import { ask, type Answer, type Asked } from './http.js'
import { countEach } from './judge.js'
import { isToComeAgain, tally, wrongReplay, wrongSummary, type Tally } from './rows.js'

export const kinds = ['connection', 'server', 'database'] as const

export type Kind = typeof kinds[number]

/** Each attempt is cut within this part of a file, beyond what is done already, so most files get several cuts. */
const CUT_WITHIN = 0.4

/** Rows are marked a thousand at a time: so many more are sent before the connection is cut. */
const ROWS_AHEAD = 1_500

const LOOK_MS = 20
const CUT_AFTER_MS = 150

const RETRY_MS = 1_000

export interface Cut {
  kind: Kind
  /** How many rows the key had marked as done when the file was sent again. */
  marked: number
}

/** A file that was imported. */
export interface Imported {
  cuts: Cut[]
  tally: Tally
  wrong: string[]
}

/** Imports files into a server, whose connections and processes it cuts meanwhile. */
export class Imports {
  /** Cuts that are still to be made. */
  left: number
  /** How often a file was sent, and how often it was to be sent again. */
  sent = 0
  waits = { 409: 0, 503: 0 }
  #api: Api
  #kinds: readonly Kind[]
  #below: Below

  constructor (api: Api, cuts: number, below: Below) {
    this.#api = api
    this.left = cuts
    this.#kinds = api.database ? kinds : kinds.slice(0, 2)
    this.#below = below
  }

  /** Sends a file, again after each cut, until its import ends; and once more. */
  async import (file: RowFile): Promise<Imported> {
    const cuts: Cut[] = []
    for (;;) {
      const marked = await this.#marked(file)
      // what was on its way at the cut may have been stored since then
      for (const cut of cuts.slice(-1)) cut.marked = marked
      const answer = await this.#attempt(file, marked, cuts)
      if (answer === 'cut') continue
      if (answer && isToComeAgain(answer)) {
        this.waits[answer.status === 409 ? 409 : 503]++
        await sleep(RETRY_MS)
        continue
      }
      const wrong = answer ? [...wrongSummary(file, answer), ...wrongReplay(answer, await this.#send(file).answer)] : ['the connection ended without a cut']
      return { cuts, tally: await this.#tally(file), wrong }
    }
  }

  /** Sends the file and cuts that once so much is marked, unless it is answered before. */
  async #attempt (file: RowFile, marked: number, cuts: Cut[]): Promise<Answer | undefined | 'cut'> {
    if (this.left === 0) return this.#send(file).answer
    const kind = this.#kinds[this.#below(this.#kinds.length)] ?? 'connection'
    const target = marked + this.#below(CUT_WITHIN * file.rows)
    const asked = this.#send(file, kind === 'connection' ? target + ROWS_AHEAD : undefined)
    const first = await this.#until(target, file, asked)
    if (first !== 'due') return this.#answered(asked, first)
    this.left--
    cuts.push({ kind, marked })
    await this.#cut(kind, asked)
    const answer = await asked.answer
    // the server may outlast a cut of its database
    return kind === 'database' ? answer : 'cut'
  }

  /** Waits until a cut is due: a little after so many rows are marked. */
  async #until (target: number, file: RowFile, asked: Asked): Promise<Answer | undefined | 'due'> {
    for (let isMarked = false; ;) {
      const first = await Promise.race([asked.answer, sleep(isMarked ? this.#below(CUT_AFTER_MS) : LOOK_MS, 'due' as const)])
      if (first !== 'due' || isMarked) return first
      isMarked = await this.#marked(file) >= target
    }
  }

  /** An answer may come before all is sent; the rest is of no use then. */
  #answered (asked: Asked, answer: Answer | undefined): Answer | undefined {
    asked.cut(false)
    return answer
  }

  #send ({ key, type, bytes, rows }: RowFile, sent = rows): Asked {
    this.sent++
    const headers = { 'content-type': type, 'idempotency-key': `"${key}"` }
    return ask(`${this.#api.url}/students/import`, { method: 'POST', headers, body: bytes, sends: Math.ceil(bytes.length * sent / rows) })
  }

  async #cut (kind: Kind, asked: Asked): Promise<void> {
    if (kind === 'connection') return asked.cut(this.#below(2) === 0)
    if (kind === 'server') {
      await this.#api.kill()
      return this.#api.start()
    }
    await this.#api.database?.kill()
    await this.#api.database?.start()
  }

  /** How many rows the key of a file has marked as done. */
  async #marked ({ key }: RowFile): Promise<number> {
    const keys = (await this.#api.stored()).collection<KeyDocument>(KEYS)
    const known = await keys.findOne({ _id: digestOf(undefined, 'POST', '/students/import', key) })
    return Number(known?.progress?.rows ?? 0)
  }

  async #tally (file: RowFile): Promise<Tally> {
    const students = (await this.#api.stored()).collection(STUDENTS)
    const found = await students.find({ course: file.course }, { projection: { email: 1 } }).toArray()
    return tally(file, countEach(found.map(({ email }) => String(email))))
  }
}
