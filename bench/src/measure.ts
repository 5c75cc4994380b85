import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { median } from 'simple-statistics'
import { MIX, type Case } from './cases.js'
import { fromRoot, idle, usageOf } from './process.js'
import type { Server } from './servers.js'
import type { StudentCollection } from './students.js'

/** The code is warm after the first of a case; later ones fill pools and caches again. None is longer than what it is for. */
const FIRST_WARM_UP_SECONDS = 2
const WARM_UP_SECONDS = 1

/** How many more students there are than the warm-up's rate would use up. */
const ROOM = 2

/** A server with the collection that it serves. */
export interface Subject extends Server {
  collection: StudentCollection
}

export interface Way {
  rounds: number
  seconds: number
  /** Where the load may keep files. */
  folder: string
  databasePid: number | undefined
}

/** One measurement: a case on a server in one round. */
export type Sample = Awaited<ReturnType<typeof load>>['sample']

/** Measures each case in alternating rounds (A B C, A B C), so that what disturbs the machine for a while disturbs all alike. */
export async function measure (cases: Case[], subjects: Subject[], way: Way): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const one of cases) {
    await one.open?.(subjects)
    for (let round = 1; round <= way.rounds; round++) {
      const warmUpSeconds = Math.min(way.seconds, round === 1 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS)
      for (const subject of subjects.filter(({ name }) => !one.without.includes(name))) {
        const sample = await measureOne(one, subject, way, warmUpSeconds)
        samples.push(sample)
        console.error(`${one.title}, round ${round}, ${subject.title}: ${Math.round(sample.perSecond)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`)
      }
    }
  }
  return samples
}

async function measureOne (one: Case, subject: Subject, way: Way, warmUpSeconds: number): Promise<Sample> {
  const { students, isSorted, usesUp, connections, stretch = 1 } = one
  await subject.collection.hold(students, isSorted)
  const warm = await load(one, subject, way, students, warmUpSeconds)
  if (!usesUp) return (await load(one, subject, way, students, way.seconds * stretch)).sample
  for (let count = Math.max(students, Math.ceil(ROOM * way.seconds * warm.sample.perSecond)); ; count *= 2) {
    await subject.collection.hold(count)
    const { sample, requests } = await load(one, subject, way, count, way.seconds)
    if (requests + connections <= count) return sample
  }
}

async function load (one: Case, subject: Subject, { folder, databasePid }: Way, students: number, length: number) {
  // of a database that was not started here, and of one that is a thread of the server, nothing is known
  const databaseCpuMs = async () => databasePid === undefined || subject.isConstant || subject.embeddedUrl !== undefined ? NaN : (await usageOf(databasePid)).cpuMs
  const [before, databaseBefore] = [await usageOf(subject.pid), await databaseCpuMs()]
  const { requests, seconds, failed, ...latency } = await wrk(one, subject, length, folder, students)
  if (one.writes) subject.collection.changed()
  const { cpuMs, ...memory } = await usageOf(subject.pid)
  /** Processor time for one request, of the server and of the database. */
  const cpuUs = (cpuMs - before.cpuMs) * 1_000 / requests
  const databaseCpuUs = (await databaseCpuMs() - databaseBefore) * 1_000 / requests
  await idle([subject.pid, ...databasePid === undefined ? [] : [databasePid]])
  // answers with the status that is due count alone
  const perSecond = (requests - failed) / seconds
  return { sample: { case: one.name, server: subject.name, perSecond, failed, ...latency, cpuUs, databaseCpuUs, ...memory }, requests }
}

/** Sends the requests of a case by wrk, in one thread. Those have failed that got no answer, or one of another status. */
export async function wrk ({ connections, status, usesUp, hasKeys, ...one }: Case, server: Pick<Subject, 'name' | 'url'>, seconds: number, folder: string,
  students = one.students): Promise<{ requests: number, seconds: number, p50Ms: number, p99Ms: number, failed: number }> {
  const file = join(folder, 'requests.txt')
  const requests = Array.from({ length: usesUp ? students : one.requests }, (_, n) => one.request(n, server.name))
  await writeFile(file, requests.map(({ method, path, body }) => `${method}\t${path}\t${JSON.stringify(body) ?? ''}\n`).join(''))
  const options = ['-t', 1, '-c', connections, '-d', `${seconds}s`, '--timeout', '30s', '-s', fromRoot('bench/wrk.lua')]
  const { stdout } = await execa('wrk', [...options, server.url, '--', file, status, hasKeys ? 'keys' : ''].map(String))
  const figures = /^figures (.*)$/m.exec(stdout)?.[1]
  if (!figures) throw new Error(`wrk told no figures: ${stdout}`)
  return JSON.parse(figures)
}

/** The memory at a time is the median of so many looks before it, a second apart: between two collections of garbage it goes up and down. */
const LOOKS = 10

export type Soak = Awaited<ReturnType<typeof soak>>

/** Runs the mix for long, and tells the memory at a fifth of the time (one minute of five) and at the end. */
export async function soak (subject: Subject, seconds: number, folder: string) {
  await subject.collection.hold(MIX.students)
  subject.collection.changed()
  const looks: number[] = []
  const look = async () => {
    while (looks.length < seconds) {
      await sleep(1_000)
      looks.push((await usageOf(subject.pid)).rssBytes)
    }
  }
  await Promise.all([wrk(MIX, subject, seconds, folder), look()])
  return { seconds, earlyRssBytes: median(looks.slice(0, seconds / 5).slice(-LOOKS)), lateRssBytes: median(looks.slice(-LOOKS)) }
}
