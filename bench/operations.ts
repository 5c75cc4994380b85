import { ObjectId, type Collection, type Document, type MongoClient } from 'mongodb'
import { findRaw } from '../lib/mongodb/find-raw.js'
import { median } from './statistics.js'
import { documentOf, idOf } from './students.js'

/** Operations per second by name. */
export type Rates = Record<string, number>

/** Different students that are read, changed and counted on. */
const IDS = 10_000
const LISTED = 1_000
const INSERTED_AT_ONCE = 100

interface Operation {
  name: string
  /** How many are under way at once. */
  atOnce: number
  /** One of them; `n` is another each time. */
  run (collections: Collections, n: number): Promise<unknown>
}

interface Collections {
  read: Collection
  listed: Collection
  scanned: Collection
  written: Collection
}

const findById = ({ read }: Collections, n: number) => read.findOne({ _id: new ObjectId(idOf(n * 7_919 % IDS)) })
const insertOne = ({ written }: Collections, n: number) => written.insertOne(freshDocument(n))
const increment = ({ read }: Collections, n: number) =>
  read.findOneAndUpdate({ _id: new ObjectId(idOf(n % IDS)) }, { $inc: { visits: 1 } })

const OPERATIONS: Operation[] = [
  { name: 'find by id x1', atOnce: 1, run: findById },
  { name: 'find by id x64', atOnce: 64, run: findById },
  // as the API reads its lists
  { name: '1000 raw documents', atOnce: 1, run: async ({ listed }) => findRaw(listed, {}, { limit: LISTED }) },
  { name: 'insertOne x1', atOnce: 1, run: insertOne },
  { name: 'insertOne x64', atOnce: 64, run: insertOne },
  {
    name: 'insertMany 100',
    atOnce: 1,
    run: ({ written }, n) => written.insertMany(Array.from({ length: INSERTED_AT_ONCE }, (_, place) => freshDocument(n + place)))
  },
  { name: '$inc x1', atOnce: 1, run: increment },
  { name: '$inc x64', atOnce: 64, run: increment },
  { name: 'unindexed count', atOnce: 1, run: ({ scanned }) => scanned.countDocuments({ course: 'none has this' }) }
]

export interface Plan {
  rounds: number
  seconds: number
  /** How many documents the unindexed count goes over. */
  scanned: number
  tell (line: string): void
}

/** The medians of the rates of each server, by its name; in each round they take turns. */
export async function measureOperations (clients: Map<string, MongoClient>, plan: Plan): Promise<Map<string, Rates>> {
  const { rounds, seconds, tell } = plan
  const names = [...clients.keys()]
  const rates = new Map<string, Rates>(names.map((name) => [name, {}]))
  const collections = new Map<string, Collections>()
  for (const [name, client] of clients) collections.set(name, await prepare(client, plan))
  for (const operation of OPERATIONS) {
    const samples = new Map<string, number[]>(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [name, filled] of collections) {
        await rateOf(operation, filled, seconds / 4)
        samples.get(name)?.push(await rateOf(operation, filled, seconds))
      }
    }
    for (const [name, ofServer] of rates) ofServer[operation.name] = median(samples.get(name) ?? [])
    tell(`${operation.name}: ${names.map((name) => `${name} ${Math.round(Number(rates.get(name)?.[operation.name]))}/s`).join(', ')}`)
  }
  return rates
}

async function prepare (client: MongoClient, { scanned }: Plan): Promise<Collections> {
  const database = client.db('bench')
  const [read, listed, counted, written] = [database.collection('read'), database.collection('listed'), database.collection('scanned'), database.collection('written')]
  await fill(read, IDS)
  await fill(listed, LISTED)
  await fill(counted, scanned)
  return { read, listed, scanned: counted, written }
}

/** Inserts the first students. */
export async function fill (collection: Collection, count: number): Promise<void> {
  const atOnce = 5_000
  for (let from = 0; from < count; from += atOnce) {
    await collection.insertMany(Array.from({ length: Math.min(atOnce, count - from) }, (_, n) => documentOf(from + n)))
  }
}

/** How often an operation is done in a second. */
async function rateOf ({ atOnce, run }: Operation, collections: Collections, seconds: number): Promise<number> {
  const started = performance.now()
  const until = started + seconds * 1000
  let count = 0
  const worker = async () => {
    do await run(collections, count++)
    while (performance.now() < until)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return count * 1000 / (performance.now() - started)
}

/** A student under an id of its own. */
function freshDocument (n: number): Document {
  return { ...documentOf(n), _id: new ObjectId() }
}
