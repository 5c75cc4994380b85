import type { Case } from './cases.js'
import type { LoadTool } from './load/index.js'
import { idle, usageOf } from './process.js'
import { serves, type Server } from './servers.js'
import type { StudentCollection } from './students.js'

/** The code is warm after the first of a case; later ones fill pools and caches again. None is longer than what it is for. */
const FIRST_WARM_UP_SECONDS = 2
const WARM_UP_SECONDS = 1

/** How many more students there are than the warm-up's rate would use up. */
const ROOM = 2

/** One measurement: a case on a server in one round. */
export interface Sample {
  case: string
  server: string
  /** Answers with the status that is due. */
  perSecond: number
  /** Requests without such an answer. */
  failed: number
  p50Ms: number
  p99Ms: number
  /** Processor time of the server for one request, in microseconds. */
  cpuUs: number
  /** The same of the database, where it is a process that was started here. */
  databaseCpuUs: number
  rssBytes: number
  anonBytes: number
}

/** A server with the collection that it serves. */
export interface Subject {
  server: Server
  collection: StudentCollection
}

export interface Plan {
  cases: Case[]
  subjects: Subject[]
  rounds: number
  seconds: number
  tool: LoadTool
  databasePid: number | undefined
  tell (line: string): void
}

/** Measures each case in alternating rounds (A B C, A B C), so that what disturbs the machine for a while disturbs all alike. */
export async function measure ({ cases, subjects, rounds, tell, ...way }: Plan): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const one of cases) {
    for (let round = 1; round <= rounds; round++) {
      const warmUpSeconds = Math.min(way.seconds, round === 1 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS)
      for (const subject of subjects.filter(({ server }) => serves(server, one))) {
        const sample = await measureOne(one, subject, way, warmUpSeconds)
        samples.push(sample)
        tell(`${one.title}, round ${round}, ${subject.server.title}: ${Math.round(sample.perSecond)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`)
      }
    }
  }
  return samples
}

type Way = Pick<Plan, 'seconds' | 'tool' | 'databasePid'>

async function measureOne (one: Case, subject: Subject, way: Way, warmUpSeconds: number): Promise<Sample> {
  const { students, usesUp, connections, stretch = 1 } = one
  await subject.collection.hold(students)
  const warm = await load(one, subject, students, { ...way, seconds: warmUpSeconds })
  if (!usesUp) return (await load(one, subject, students, { ...way, seconds: way.seconds * stretch })).sample
  for (let count = Math.max(students, Math.ceil(ROOM * way.seconds * warm.sample.perSecond)); ; count *= 2) {
    await subject.collection.hold(count)
    const { sample, requests } = await load(one, subject, count, way)
    if (requests + connections <= count) return sample
  }
}

async function load (one: Case, { server, collection }: Subject, students: number, { seconds, tool, databasePid }: Way) {
  const usesDatabase = !server.isConstant && server.embeddedUrl === undefined
  const databaseCpuMs = async () => databasePid !== undefined && usesDatabase ? (await usageOf(databasePid)).cpuMs : NaN
  const [before, databaseBefore] = [await usageOf(server.pid), await databaseCpuMs()]
  const { connections, status } = one
  const result = await tool.run({ url: server.url, connections, seconds, requests: one.requests(students), status })
  if (one.writes) collection.changed()
  const { cpuMs, rssBytes, anonBytes } = await usageOf(server.pid)
  const { requests, failed, p50Ms, p99Ms } = result
  const sample: Sample = {
    case: one.name,
    server: server.name,
    perSecond: (requests - failed) / result.seconds,
    failed,
    p50Ms,
    p99Ms,
    cpuUs: (cpuMs - before.cpuMs) * 1_000 / requests,
    databaseCpuUs: (await databaseCpuMs() - databaseBefore) * 1_000 / requests,
    rssBytes,
    anonBytes
  }
  await idle(databasePid === undefined ? [server.pid] : [server.pid, databasePid])
  return { sample, requests }
}
