// Profiles the server as it reads by id over 64 connections, and draws docs/flame.svg: npm run flame
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../lib/mongodb/connect.js'
import { CASES } from './cases.js'
import { startDatabase } from './database.js'
import { flameGraph, type CpuProfile } from './flame-graph.js'
import { chooseTool } from './load/index.js'
import { fromRoot, pin, startServer } from './process.js'
import { StudentCollection } from './students.js'

/** The code is warm after that. */
const WARM_UP_SECONDS = 5
const SECONDS = 5

const cores = await pin()
const folder = await mkdtemp(join(tmpdir(), 'flame-'))
const database = await startDatabase(process.env.SECANTUSD ?? 'secantusd-rs', join(folder, 'database'))
try {
  const args = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder, fromRoot('dist/server.js')]
  const env = { MONGODB_URL: database.url, LOG_LEVEL: 'warn' }
  const server = await startServer({ command: process.execPath, args, cwd: folder, env, cores: cores.server })
  const [fromUs, toUs] = await load(server.url).finally(server.stop)
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'))
  const profile: CpuProfile = JSON.parse(await readFile(join(folder, file), 'utf8'))
  await writeFile(fromRoot('docs/flame.svg'), flameGraph(profile, fromUs, toUs))
} finally {
  await database.stop()
  await rm(folder, { recursive: true })
}

/** Answers when the load that counts began and ended, by the clock of the profile. */
async function load (url: string): Promise<[fromUs: number, toUs: number]> {
  const client = await connect(database.url)
  await new StudentCollection(client.db('college').collection('students')).hold(10_000)
  await client.close()
  const one = CASES.find(({ name }) => name === 'read-64')
  if (!one) throw new Error('there is no such case')
  const tool = await chooseTool()
  const run = (seconds: number) => tool.run({ url, connections: one.connections, seconds, requests: one.requests(one.students), status: one.status })
  await run(WARM_UP_SECONDS)
  const fromUs = nowUs()
  await run(SECONDS)
  return [fromUs, nowUs()]
}

/** V8 and Node tell time by the same monotonic clock of the system, in all processes. */
function nowUs (): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
