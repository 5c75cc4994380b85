import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fromRoot, run, type Cores } from './process.js'

/** Packages of the peers whose versions are told. */
const TOLD = /^(fastapi|pymongo|pydantic|uvicorn|uvloop|httptools)==/

/** What a reader has to know of a run: machine, cores, versions. */
export async function factsOf (cores: Cores, database: string, tool: string, hasPeers: boolean): Promise<string[]> {
  return [
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory; everything runs on it.`,
    pinning(cores),
    `Database: ${database}, one for all, with a pool of the same size in each server.`,
    `Load: ${tool}, connections kept alive.`,
    `Ours: revision ${await revision()}, Node ${process.version}, started as \`npm start\` does, with \`LOG_LEVEL=warn\`: no peer logs requests.`,
    ...hasPeers ? [await peers()] : []
  ]
}

async function peers (): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(fromRoot('bench/peers/package.json'), 'utf8'))
  const requirements = await readFile(fromRoot('bench/peers/requirements.txt'), 'utf8')
  const versions = Object.entries(dependencies).map((entry) => entry.join(' '))
  const python = requirements.split('\n').filter((line) => TOLD.test(line)).map((line) => line.replace('==', ' '))
  return `Peers: Node ${process.version} with ${versions.join(', ')}; ${await pythonVersion()} with ${python.join(', ')}; ` +
    'one process each, `NODE_ENV=production`, logging off.'
}

function pinning ({ server, rest, all }: Cores): string {
  if (server === undefined) return 'Cores: nothing is pinned.'
  return `Cores: each server on core ${server}, database and load on ${rest}; the embedded store is a thread of its server, and both have cores ${all}.`
}

/** The commit that is measured. */
export async function revision (): Promise<string> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: fromRoot('.') })).stdout.trim()
  const isChanged = await git('status', '--porcelain', '--untracked-files=no') !== ''
  return await git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes' : '')
}

async function pythonVersion (): Promise<string> {
  return run(join(fromRoot('bench/peers/.venv'), 'bin/python'), ['--version']).then(({ stdout }) => stdout.trim(), () => 'Python')
}
