import type { Case } from './cases.js'
import type { LoadResult, LoadTool } from './load/index.js'
import { usageOf, type Usage } from './process.js'
import { serves, type Server } from './servers.js'
import type { StudentCollection } from './students.js'

/** The code is warm after the first of a case; later ones fill pools and caches again. */
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
  tell (line: string): void
}

/** Measures each case in alternating rounds (A B C, A B C), so that what disturbs the machine for a while disturbs all alike. */
export async function measure ({ cases, subjects, rounds, ...plan }: Plan): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const one of cases) {
    for (let round = 1; round <= rounds; round++) {
      for (const subject of subjects.filter(({ server }) => serves(server, one))) {
        const sample = await measureOne(one, subject, { ...plan, warmUpSeconds: round === 1 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS })
        samples.push(sample)
        plan.tell(`${one.title}, round ${round}, ${subject.server.title}: ${Math.round(sample.perSecond)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`)
      }
    }
  }
  return samples
}

interface Used {
  before: Usage
  after: Usage
}

interface Way {
  tool: LoadTool
  seconds: number
  warmUpSeconds: number
}

async function measureOne (one: Case, { server, collection }: Subject, { tool, seconds, warmUpSeconds }: Way): Promise<Sample> {
  const load = async (students: number, seconds: number) => {
    const before = await usageOf(server.pid)
    const { connections, status } = one
    const result = await tool.run({ url: server.url, connections, seconds, requests: one.requests(students), status })
    if (one.writes) collection.changed()
    return { ...result, before, after: await usageOf(server.pid) }
  }
  await collection.hold(one.students)
  const warm = await load(one.students, warmUpSeconds)
  if (!one.usesUp) return toSample(one, server, await load(one.students, seconds))
  for (let students = Math.max(one.students, Math.ceil(ROOM * seconds * warm.requests / warm.seconds)); ; students *= 2) {
    await collection.hold(students)
    const result = await load(students, seconds)
    if (result.requests + one.connections <= students) return toSample(one, server, result)
  }
}

function toSample (one: Case, server: Server, { requests, seconds, failed, p50Ms, p99Ms, before, after }: LoadResult & Used): Sample {
  return {
    case: one.name,
    server: server.name,
    perSecond: (requests - failed) / seconds,
    failed,
    p50Ms,
    p99Ms,
    cpuUs: (after.cpuMs - before.cpuMs) * 1_000 / requests,
    rssBytes: after.rssBytes,
    anonBytes: after.anonBytes
  }
}
