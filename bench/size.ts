import { MongoClient, ObjectId, type Collection } from 'mongodb'
import { fill } from './operations.js'
import { usageOf, type Running } from './process.js'
import { median } from './statistics.js'
import { idOf } from './students.js'

const AT_ONCE = 64

export interface HoldUp {
  documents: number
  /** How many walks there were in that time. */
  scans: number
  p99Ms: number
  aloneP99Ms: number
}

/** The 99th percentile of find by id, alone and while another connection counts by a filter that no index serves. */
export async function scanHoldUp (url: string, documents: number, seconds: number): Promise<HoldUp> {
  const client = await MongoClient.connect(url)
  try {
    const students = client.db('bench').collection('students')
    await fill(students, documents)
    await findsFor(students, documents, seconds / 2)
    const aloneP99Ms = p99(await findsFor(students, documents, seconds))
    let scans = 0
    const done = new AbortController()
    const scanning = (async () => {
      for (; !done.signal.aborted; scans++) await students.countDocuments({ course: 'none has this' })
    })()
    const p99Ms = p99(await findsFor(students, documents, seconds))
    done.abort()
    await scanning
    return { documents, scans, p99Ms, aloneP99Ms }
  } finally {
    await client.close()
  }
}

export type Sizes = { documents: number, startMs: number, findsPerSecond: number, anonBytes: number }[]

export interface SizePlan {
  few: number
  many: number
  rounds: number
  seconds: number
}

/** Starts a store with few students and one with many in turns, and measures each: medians of the rounds. */
export async function measureSize (startIn: (name: string) => Promise<Running>, { few, many, rounds, seconds }: SizePlan): Promise<Sizes> {
  const counts = [few, many]
  for (const count of counts) await atStudents(await startIn(String(count)), (students) => fill(students, count))
  const samples: Sizes = []
  for (let round = 0; round < rounds; round++) {
    for (const documents of counts) {
      const store = await startIn(String(documents))
      await atStudents(store, async (students) => {
        await findsFor(students, documents, seconds / 4, AT_ONCE)
        const times = await findsFor(students, documents, seconds, AT_ONCE)
        const { anonBytes } = await usageOf(store.pid)
        samples.push({ documents, startMs: store.startMs, findsPerSecond: times.length / seconds, anonBytes })
      })
    }
  }
  return counts.map((documents) => {
    const ofCount = samples.filter((sample) => sample.documents === documents)
    const middle = (figure: 'startMs' | 'findsPerSecond' | 'anonBytes') => median(ofCount.map((sample) => sample[figure]))
    return { documents, startMs: middle('startMs'), findsPerSecond: middle('findsPerSecond'), anonBytes: middle('anonBytes') }
  })
}

async function atStudents (store: Running, work: (students: Collection) => Promise<unknown>): Promise<void> {
  const client = await MongoClient.connect(store.url, { maxPoolSize: AT_ONCE })
  try {
    await work(client.db('bench').collection('students'))
  } finally {
    await client.close()
    await store.stop()
  }
}

/** Finds students by id, scattered over all; answers how long each took, in milliseconds. */
async function findsFor (students: Collection, count: number, seconds: number, atOnce = 1): Promise<number[]> {
  const times: number[] = []
  const until = performance.now() + seconds * 1000
  const worker = async () => {
    for (let asked = performance.now(); asked < until; asked = performance.now()) {
      await students.findOne({ _id: new ObjectId(idOf(Math.floor(Math.random() * count))) })
      times.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return times
}

function p99 (times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? NaN
}
