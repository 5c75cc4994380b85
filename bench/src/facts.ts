import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { fromRoot, type Cores } from './process.js'
import { VENV } from './servers.js'

/** Packages of the peers in Python whose versions are told. */
const TOLD = /^(fastapi|pymongo|pydantic|uvicorn|uvloop|httptools)==/

export const PROCESSORS = `${cpus().length} × ${cpus()[0]?.model.trim()}`
export const MACHINE = `${PROCESSORS}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory; everything runs on it`

export const today = () => new Date().toISOString().slice(0, 10)

/** What a reader has to know of a run: machine, cores, versions. */
export async function factsOf ({ server, rest, all }: Cores, database: string, hasPeers: boolean): Promise<string[]> {
  return [
    `Machine: ${MACHINE}.`,
    server === undefined
      ? 'Cores: nothing is pinned.'
      : `Cores: each server on core ${server}, database and load on ${rest}; the embedded store is a thread of its server, and both have cores ${all}.`,
    `Database: ${database}, one for all, with a pool of the same size in each server.`,
    'Load: wrk, connections kept alive.',
    `Ours: revision ${await revision()}, Node ${process.version}, started as \`npm start\` does, with \`LOG_LEVEL=warn\`: no peer logs requests.`,
    ...hasPeers ? [await peers()] : []
  ]
}

/** The package's dependencies are those of the peers; what measures them is for development. */
async function peers (): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(fromRoot('bench/package.json'), 'utf8'))
  const requirements = await readFile(fromRoot('bench/peers/requirements.txt'), 'utf8')
  const versions = Object.entries(dependencies).map((entry) => entry.join(' '))
  const python = requirements.split('\n').filter((line) => TOLD.test(line)).map((line) => line.replace('==', ' '))
  const pythonVersion = await execa(join(VENV, 'bin/python'), ['--version']).then(({ stdout }) => stdout, () => 'Python')
  return `Peers: Node ${process.version} with ${versions.join(', ')}; ${pythonVersion} with ${python.join(', ')}; ` +
    'one process each, `NODE_ENV=production`, logging off.'
}

/** The commit that is measured. */
export const revision = async () => (await execa('git', ['describe', '--always', '--exclude=*', '--dirty= with changes'], { cwd: fromRoot('.') })).stdout
