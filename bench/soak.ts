import { setTimeout as sleep } from 'node:timers/promises'
import { MIX } from './cases.js'
import type { LoadTool } from './load/index.js'
import { usageOf, type Usage } from './process.js'
import type { Subject } from './measure.js'
import { median } from './statistics.js'

/** The memory at a time is the median of so many looks before it, a second apart: between two collections of garbage it goes up and down. */
const LOOKS = 10
const LOOK_EVERY_MS = 1_000

export interface Soak {
  seconds: number
  early: Memory
  late: Memory
  requests: number
  failed: number
}

type Memory = Pick<Usage, 'rssBytes' | 'anonBytes'>

/** Runs the mix for long, and tells the memory at a fifth of the time (one minute of five) and at the end. */
export async function soak ({ server, collection }: Subject, seconds: number, tool: LoadTool): Promise<Soak> {
  await collection.hold(MIX.students)
  collection.changed()
  const { connections, status } = MIX
  const requests = MIX.requests(MIX.students)
  const [result, looks] = await Promise.all([
    tool.run({ url: server.url, connections, seconds, requests, status }),
    watch(server.pid, seconds)
  ])
  const early = memoryOf(looks.slice(0, seconds / 5))
  return { seconds, early, late: memoryOf(looks), requests: result.requests, failed: result.failed }
}

async function watch (pid: number, seconds: number): Promise<Usage[]> {
  const looks: Usage[] = []
  while (looks.length < seconds) {
    await sleep(LOOK_EVERY_MS)
    looks.push(await usageOf(pid))
  }
  return looks
}

function memoryOf (looks: Usage[]): Memory {
  const last = looks.slice(-LOOKS)
  return { rssBytes: median(last.map(({ rssBytes }) => rssBytes)), anonBytes: median(last.map(({ anonBytes }) => anonBytes)) }
}
