import { ObjectId, type Collection, type MongoClient } from 'mongodb'
import { median, quantile } from 'simple-statistics'
import { usageOf, type Running } from './process.js'
import { documentOf, fill, idOf, LIST_LIMIT, scattered } from './students.js'

/** Different students that are read, changed and counted on. */
const IDS = 10_000
const INSERTED_AT_ONCE = 100
const AT_ONCE = 64

/** Does something once; `n` is another number each time. */
type Work = (n: number) => Promise<unknown>

/** Collections of students by what is done with them. */
type Students = Awaited<ReturnType<typeof prepare>>

const findById = (students: Collection, count: number): Work => async (n) => students.findOne({ _id: new ObjectId(idOf(scattered(n, count))) })
const insertOne = ({ written }: Students): Work => async (n) => written.insertOne(documentOf(n, new ObjectId()))
const insertMany = ({ written }: Students): Work => async (n) =>
  written.insertMany(Array.from({ length: INSERTED_AT_ONCE }, (_, place) => documentOf(n + place, new ObjectId())))
const increment = ({ read }: Students): Work => async (n) => read.findOneAndUpdate({ _id: new ObjectId(idOf(n % IDS)) }, { $inc: { visits: 1 } })
const count = (students: Collection): Work => async () => students.countDocuments({ course: 'none has this' })
// as the API reads its lists: all in one reply, and each as its bytes
const list = ({ listed: { db, collectionName } }: Students): Work => async () =>
  db.command({ find: collectionName, limit: LIST_LIMIT, batchSize: LIST_LIMIT + 1 }, { fieldsAsRaw: { firstBatch: true } })

/** What is measured, with how many are under way at once. */
const OPERATIONS = [
  ...[1, AT_ONCE].map((atOnce) => ({ name: `find by id x${atOnce}`, atOnce, on: ({ read }: Students) => findById(read, IDS) })),
  { name: `${LIST_LIMIT} raw documents`, atOnce: 1, on: list },
  ...[1, AT_ONCE].map((atOnce) => ({ name: `insertOne x${atOnce}`, atOnce, on: insertOne })),
  { name: `insertMany ${INSERTED_AT_ONCE}`, atOnce: 1, on: insertMany },
  ...[1, AT_ONCE].map((atOnce) => ({ name: `$inc x${atOnce}`, atOnce, on: increment })),
  { name: 'unindexed count', atOnce: 1, on: ({ scanned }: Students) => count(scanned) }
]

type Rounds = { rounds: number, seconds: number }

/** Operations per second by name: the medians of each client, in the clients' order; in each round they take turns. */
export async function measureOperations (clients: MongoClient[], scanned: number, { rounds, seconds }: Rounds): Promise<Map<string, number[]>> {
  const filled = await Promise.all(clients.map((client) => prepare(client, scanned)))
  const rates = new Map<string, number[]>()
  for (const { name, atOnce, on } of OPERATIONS) {
    const samples = filled.map((students) => ({ students, rates: [] as number[] }))
    for (let round = 0; round < rounds; round++) for (const sample of samples) sample.rates.push((await time(on(sample.students), atOnce, seconds)).perSecond)
    rates.set(name, samples.map((sample) => median(sample.rates)))
    console.error(`${name}: ${rates.get(name)?.map(Math.round).join('/s, ')}/s`)
  }
  return rates
}

async function prepare (client: MongoClient, count: number) {
  const of = (name: string) => client.db('bench').collection(name)
  const students = { read: of('read'), listed: of('listed'), scanned: of('scanned'), written: of('written') }
  await fill(students.read, IDS)
  await fill(students.listed, LIST_LIMIT)
  await fill(students.scanned, count)
  return students
}

/** How fast something goes that is done over and over, once the code is warm. */
async function time (work: Work, atOnce: number, seconds: number) {
  await repeat(work, atOnce, seconds / 4)
  return repeat(work, atOnce, seconds)
}

async function repeat (work: Work, atOnce: number, seconds: number): Promise<{ perSecond: number, p99Ms: number }> {
  const times: number[] = []
  const started = performance.now()
  let begun = 0
  const worker = async () => {
    for (let asked = started; asked < started + seconds * 1_000;) {
      await work(begun++)
      const answered = performance.now()
      times.push(answered - asked)
      asked = answered
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { perSecond: times.length * 1_000 / (performance.now() - started), p99Ms: quantile(times, 0.99) }
}

/** The 99th percentile of find by id, alone and while another connection counts, over and over, by a filter that no index serves. */
export async function measureHoldUp (client: MongoClient, documents: number, seconds: number) {
  const students = client.db('bench').collection('students')
  await fill(students, documents)
  const { p99Ms: aloneP99Ms } = await time(findById(students, documents), 1, seconds)
  let scans = 0
  const done = new AbortController()
  const scanning = (async () => {
    for (; !done.signal.aborted; scans++) await count(students)(scans)
  })()
  const { p99Ms } = await repeat(findById(students, documents), 1, seconds)
  done.abort()
  await scanning
  return { documents, scans, p99Ms, aloneP99Ms }
}

/** Runs something on a store of that name, which is started for it and stopped then. */
export type AtStore = <T>(name: string, work: (client: MongoClient, store: Running) => Promise<T>) => Promise<T>

/** Starts stores of so many students in turns, and measures each: medians of the rounds. */
export async function measureSizes (atStore: AtStore, counts: number[], { rounds, seconds }: Rounds) {
  const studentsOf = (client: MongoClient) => client.db('bench').collection('students')
  const measureOne = async (documents: number) => atStore(String(documents), async (client, { startMs, pid }) => {
    const { perSecond } = await time(findById(studentsOf(client), documents), AT_ONCE, seconds)
    return { documents, startMs, findsPerSecond: perSecond, anonBytes: (await usageOf(pid)).anonBytes }
  })
  for (const documents of counts) await atStore(String(documents), async (client) => fill(studentsOf(client), documents))
  const samples: Awaited<ReturnType<typeof measureOne>>[] = []
  for (let round = 0; round < rounds; round++) for (const documents of counts) samples.push(await measureOne(documents))
  return counts.map((documents) => {
    const own = samples.filter((sample) => sample.documents === documents)
    const middle = (figure: 'startMs' | 'findsPerSecond' | 'anonBytes') => median(own.map((sample) => sample[figure]))
    return { documents, startMs: middle('startMs'), findsPerSecond: middle('findsPerSecond'), anonBytes: middle('anonBytes') }
  })
}
