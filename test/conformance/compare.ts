import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faker } from '@faker-js/faker'
import type { Document } from 'mongodb'
import { indexed, large, largeCount, names, passing, sortIndex, type Case } from './cases/case.js'
import { Expiry } from './cases/expiry.js'
import { reads } from './cases/read.js'
import { refusals } from './cases/refused.js'
import { handshakes } from './cases/server.js'
import { writes } from './cases/write.js'
import { Report } from './report.js'
import { rowsOf } from './rows.js'
import { database, outcomeOf, Side } from './side.js'
import { fields, texts } from './values.js'

const kinds: Record<string, () => Case> = { ...reads, ...writes, ...refusals, ...handshakes }

/** How often each kind comes up; the others once. What changes documents comes often, so that reads find something. */
const weights: Record<string, number> = { insert: 4, createIndexes: 2, "the driver's insertMany": 2, findAndModify: 4, increments: 2, drop: 2, 'find in the order of _id': 3, 'find by operators': 11, dropDatabase: 2, 'find in an order': 3, 'aggregate to count up to a limit': 3, 'pages by key': 2 }

/** Cases between two looks at everything that is stored. */
const lookEvery = 25

export interface Options {
  cases: number
  seed: number
  /** The second server. */
  url: string
  /** The embedded store, as it is or with a fault. */
  serve: typeof import('../../embedded/server.js')['serve']
}

/** Runs generated cases on the embedded store and on another server, and compares what comes of each. */
export async function compare ({ cases, seed, url, serve }: Options): Promise<Report> {
  faker.seed(seed)
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  const socketPath = join(directory, 'store.sock')
  const server = await serve({ directory, socketPath, expiry: { intervalMs: 200 } })
  const sides = [new Side(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`), new Side(url)] as const
  try {
    return await new Comparison(sides).run(cases)
  } finally {
    for (const side of sides) await side.close()
    await server.close()
    await rm(directory, { recursive: true })
  }
}

class Comparison {
  private readonly sides: readonly [Side, Side]
  private readonly report = new Report()

  constructor (sides: readonly [Side, Side]) {
    this.sides = sides
  }

  async run (cases: number): Promise<Report> {
    await this.fill()
    const expiring = new Expiry(Math.max(50, Math.trunc(cases / 50)))
    await this.onBoth(side => expiring.begin(side))
    const choices = Object.keys(kinds).map(value => ({ value, weight: weights[value] ?? 1 }))
    for (let index = 1; index <= cases; index++) {
      const kind = faker.helpers.weightedArrayElement(choices)
      const same = await this.try(kind, kinds[kind]?.()) && ((index % lookEvery !== 0 && index !== cases) || await this.look())
      // or it would show in every case that follows
      if (!same) await this.empty()
    }
    for (const [ours, theirs] of await expiring.end(this.sides)) this.report.compared({ kind: 'expiry', ours, theirs, sent: [] }, expiring.rows)
    return this.report
  }

  private async onBoth <T> (work: (side: Side) => Promise<T>): Promise<[T, T]> {
    const [ours, theirs] = this.sides
    return Promise.all([work(ours), work(theirs)])
  }

  private async try (kind: string, one: Case | undefined): Promise<boolean> {
    const [embedded] = this.sides
    const sent: Document[] = embedded.sent = []
    const [ours, theirs] = await this.onBoth(side => outcomeOf(async () => one?.run(side)))
    embedded.sent = []
    return this.report.compared({ kind, ours, theirs, sent }, [...sent.flatMap(rowsOf), ...one?.rows ?? []])
  }

  /** Compares all that is stored. */
  private async look (): Promise<boolean> {
    const [ours, theirs] = await this.onBoth(side => outcomeOf(() => Promise.all(names.map(name => side.collection(name).find({}).sort({ _id: 1 }).toArray()))))
    return this.report.compared({ kind: 'everything stored', ours, theirs, sent: [] }, [])
  }

  private async empty (): Promise<void> {
    await this.onBoth(async side => {
      for (const name of [...names, ...passing]) await side.command({ drop: name })
      await this.addIndexes(side)
    })
  }

  private async fill (): Promise<void> {
    const documents: Document[] = Array.from({ length: largeCount }, (_, _id) => ({ _id, ...fields(), name: texts[_id % 3] }))
    await this.onBoth(async side => {
      await side.client.db(database).dropDatabase()
      await side.collection(large).insertMany(documents)
      await this.addIndexes(side)
    })
  }

  /** On some collections before there are documents, on one after. */
  private async addIndexes (side: Side): Promise<void> {
    for (const name of [...names, large]) await side.command({ createIndexes: name, indexes: indexed.map(sortIndex) })
  }
}
