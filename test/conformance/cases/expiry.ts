import type { Document } from 'mongodb'
import { setTimeout as sleep } from 'node:timers/promises'
import { asSet, type Side } from '../side.js'
import { chance, one, upTo, value } from '../values.js'

const name = 'expiring'
const hourMs = 3_600_000
/** What expires does so when all is written: until then neither server removes what a later change would meet. */
const soonMs = 8_000
/** MongoDB looks every 60 s. */
const deadlineMs = 75_000
/** For the rest, once it is seen to be at it. */
const graceMs = 3_000

const index = { key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60 }

/** Documents of which some expire: by a date, by the earliest of several, after a change, or before there is an index. */
export class Expiry {
  private readonly before: Document[]
  private readonly after: Document[]
  private readonly changes: Document[]
  private readonly last = dateOf(soonMs + 1000)

  readonly rows = ['createIndexes', 'createIndexes.indexes', 'index key', 'index name', 'index expireAfterSeconds']

  constructor (private readonly cases: number) {
    const documents = Array.from({ length: cases }, (_, _id) => ({ _id, ...chance(0.95) && { at: at() } }))
    const half = Math.trunc(cases / 2)
    this.before = documents.slice(0, half)
    this.after = documents.slice(half)
    this.changes = Array.from({ length: half }, () => ({ findAndModify: name, query: { _id: upTo(cases) }, update: { $set: { at: at() } }, upsert: true }))
  }

  async begin (side: Side): Promise<void> {
    await side.command({ insert: name, documents: this.before })
    await side.command({ createIndexes: name, indexes: [index] })
    await side.command({ insert: name, documents: this.after })
    for (const change of this.changes) await side.command(change)
    await side.command({ insert: name, documents: [{ _id: 'the last to go', at: this.last }] })
  }

  /** Each document that is left, or not, on the one side and on the other, once both have looked. */
  async end (sides: readonly Side[]): Promise<Array<[string, string]>> {
    const [ours = [], theirs = []] = await this.left(sides)
    const all = new Set([...ours, ...theirs])
    const gone = this.cases - all.size
    const shown = (left: string[], document: string): string => left.includes(document) ? document : `gone: ${document}`
    return [...[...all].map((document): [string, string] => [shown(ours, document), shown(theirs, document)]), ...Array.from({ length: gone }, (): [string, string] => ['gone', 'gone'])]
  }

  private async left (sides: readonly Side[]): Promise<string[][]> {
    let until = Date.now() + deadlineMs
    for (;;) {
      const left = await Promise.all(sides.map(async side => asSet(await side.collection(name).find({}).toArray())))
      if (left.every(documents => String(documents) === String(left[0])) && !left.some(isUnswept)) return left
      if (Date.now() > until) return left
      if (!left.some(isUnswept)) until = Math.min(until, Date.now() + graceMs)
      await sleep(100)
    }
  }
}

/** Whether the server has yet to look for what has expired. */
function isUnswept (documents: string[]): boolean {
  return documents.some(document => document.includes('the last to go'))
}

/** Soon or in an hour. */
function at (): unknown {
  const date = (): Date => dateOf(one([soonMs, soonMs + 1, soonMs + 500, hourMs, 2 * hourMs]))
  if (chance(0.6)) return date()
  return chance(0.5) ? Array.from({ length: upTo(3) }, () => chance(0.7) ? date() : value(0)) : value()
}

/** The date of what expires in so many ms. */
function dateOf (ms: number): Date {
  return new Date(Date.now() - index.expireAfterSeconds * 1000 + ms)
}
