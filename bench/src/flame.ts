import { readdir, readFile, writeFile } from 'node:fs/promises'
import type { Profiler, Runtime } from 'node:inspector'
import { join } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { MongoClient } from 'mongodb'
import { READ } from './cases.js'
import { escape, svg } from './chart.js'
import { inFolder, secantusd } from './command.js'
import { startDatabase } from './servers.js'
import { wrk } from './measure.js'
import { fromRoot, pin, startServer } from './process.js'
import { fill } from './students.js'

/** The code is warm after that, and is profiled for as long. */
const SECONDS = 5

export const flameCommand = new Command('flame')
  .description('Profiles the server as it reads by id over 64 connections, and draws docs/flame.svg.')
  .addOption(secantusd)
  .action(async ({ secantusd }) => inFolder(async (folder, atEnd) => {
    const cores = await pin()
    const database = await startDatabase(secantusd, join(folder, 'database'))
    atEnd(database.stop)
    const command = [process.execPath, '--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder, fromRoot('dist/server.js')]
    const env = { MONGODB_URL: database.url, LOG_LEVEL: 'warn' }
    const server = await startServer({ command, cwd: folder, env, cores: cores.server })
    const [fromUs, toUs] = await load(server.url, database.url, folder).finally(server.stop)
    const file = (await readdir(folder)).find((name) => name.endsWith('.cpuprofile')) ?? 'no profile'
    await writeFile(fromRoot('docs/flame.svg'), flameGraph(JSON.parse(await readFile(join(folder, file), 'utf8')), fromUs, toUs))
  }))

/** Answers when the load that counts began and ended, by the clock of the profile. */
async function load (url: string, databaseUrl: string, folder: string): Promise<[fromUs: number, toUs: number]> {
  const client = await MongoClient.connect(databaseUrl)
  await fill(client.db('college').collection('students'), 10_000)
  await client.close()
  const server = { name: 'ours', url }
  await wrk(READ, server, SECONDS, folder)
  const fromUs = nowUs()
  await wrk(READ, server, SECONDS, folder)
  return [fromUs, nowUs()]
}

/** V8 and Node tell time by the same monotonic clock of the system, in all processes. */
const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

type Frame = { name: string, us: number, children: Map<string, Frame> }

const WIDTH = 1200
const ROW = 16
const LETTER = 6
/** Narrower ones are left out: there are thousands of them. */
const NARROWEST = 2

/** The part of a profile between two times, in microseconds, as an SVG: each call as wide as its share of the time, above what called it. */
function flameGraph (profile: Profiler.Profile, fromUs: number, toUs: number): string {
  const root = merge(profile, fromUs, toUs)
  const rows: string[][] = []
  draw(root, 0, 0, WIDTH / root.us, rows)
  const height = rows.length * ROW
  const lines = rows.map((row, depth) => `<g transform="translate(0 ${height - (depth + 1) * ROW})">${row.join('')}</g>`)
  return svg(WIDTH, height, 'monospace', 10, ['<style>rect { stroke: #fff; stroke-width: .5 } text { pointer-events: none }</style>', ...lines])
}

/** Calls of the same function by the same functions as one; idle time is none. */
function merge ({ nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile, fromUs: number, toUs: number): Frame {
  const root: Frame = { name: 'all', us: 0, children: new Map() }
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  /** What has been called at a node, the outermost first; the node above all calls is none. */
  const stackOf = (id: number): string[] => {
    const caller = callers.get(id)
    return caller === undefined ? [] : [...stackOf(caller), String(names.get(id))]
  }
  let timeUs = startTime
  for (const [index, sample] of samples.entries()) {
    const us = timeDeltas[index] ?? 0
    timeUs += us
    if (timeUs < fromUs || timeUs > toUs || names.get(sample) === '(idle)') continue
    let frame = root
    frame.us += us
    for (const name of stackOf(sample)) {
      const child = frame.children.get(name) ?? { name, us: 0, children: new Map() }
      frame.children.set(name, child)
      child.us += us
      frame = child
    }
  }
  return root
}

function nameOf ({ functionName, url }: Runtime.CallFrame): string {
  const file = /(?:node_modules\/|dist\/|node:)(?!.*node_modules\/)(.*)$/.exec(url)?.[1]
  return [functionName || '(anonymous)', file].filter(Boolean).join(' ')
}

function draw (frame: Frame, depth: number, x: number, scale: number, rows: string[][]): void {
  const width = frame.us * scale
  if (width < NARROWEST) return
  const label = escape(frame.name.slice(0, Math.max(0, Math.floor(width / LETTER) - 1)))
  const title = `${escape(frame.name)}, ${(100 * width / WIDTH).toFixed(1)}%`
  const row = rows[depth] ??= []
  row.push(`<rect x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="${ROW}" fill="${colorOf(frame.name)}"><title>${title}</title></rect>`)
  if (label.length > 2) row.push(`<text x="${(x + 2).toFixed(1)}" y="11">${label}</text>`)
  for (const child of frame.children.values()) {
    draw(child, depth + 1, x, scale, rows)
    x += child.us * scale
  }
}

/** By whose code it is. */
function colorOf (name: string): string {
  if (/ (lib|routes|plugins)\/[\w/-]*\.js$/.test(name)) return '#54aeff'
  if (/ (mongodb|bson)\//.test(name)) return '#7ee787'
  if (/ (fastify|find-my-way|@fastify|fast-|ajv|pino)/.test(name)) return '#ffa657'
  return '#d0d7de'
}
