import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { find } from '../embedded/index.js'
import { isReadById, type Case } from './cases.js'
import { fromRoot, run, startServer, type Cores, type Launch, type Running } from './process.js'

const EMBEDDED = 'embedded'

/** What ours can be measured against; the embedded store is ours on another database. */
export const PEERS = [EMBEDDED, 'bare', 'fastify', 'mongoose', 'fastapi', 'constant'] as const

const TITLES: Record<string, string> = {
  ours: 'ours',
  embedded: 'ours, embedded',
  bare: 'node:http + driver',
  fastify: 'Fastify + @fastify/mongodb',
  mongoose: 'Express + Mongoose',
  fastapi: 'FastAPI + PyMongo',
  constant: 'constant route'
}

export interface Server extends Running {
  name: string
  title: string
  /** The URL of the database that it has in itself. */
  embeddedUrl?: string
  /** Whether it answers a constant, and no more than reading by id. */
  isConstant: boolean
}

export interface Surroundings {
  cores: Cores
  /** Where a server may keep files. */
  folder: string
  url: string
  database: string
}

export const serves = ({ isConstant }: Server, one: Case) => !isConstant || isReadById(one)

/** How ours is started when it is not as usual: from the root of another revision, under another name. */
export interface OursOptions {
  name?: string
  root?: string
  env?: NodeJS.ProcessEnv
}

/** Starts ours, as `npm start` does but for its log of requests: no peer has one. */
export async function startOurs (around: Surroundings, options: OursOptions = {}): Promise<Server> {
  const { name = 'ours', root = fromRoot('.') } = options
  const env = { ...databaseOf(around), LOG_LEVEL: 'warn', ...options.env }
  // in a folder of its own there is no .env file
  const launch = { command: process.execPath, args: [join(root, 'dist/server.js')], cwd: around.folder, env, cores: around.cores.server }
  return started(name, launch)
}

/** Starts ours on an embedded store, which is a thread of it: both have the cores that a server and a database have together. */
export async function startEmbedded (around: Surroundings, { name = EMBEDDED, root = fromRoot('.') }: OursOptions = {}): Promise<Server> {
  const data = join(around.folder, name)
  const env = { MONGODB_URL: '', MONGODB_DATABASE: around.database, DATA_DIR: data, LOG_LEVEL: 'warn' }
  const launch = { command: process.execPath, args: [join(root, 'dist/server.js')], cwd: around.folder, env, cores: around.cores.all }
  const server = await started(name, launch)
  const embeddedUrl = await find(data)
  if (embeddedUrl === undefined) throw new Error('the embedded store can not be found')
  return { ...server, embeddedUrl }
}

/** Starts one of `PEERS`, once `installPeers` has been called with it. */
export async function startPeer (around: Surroundings, name: string): Promise<Server> {
  if (name === EMBEDDED) return startEmbedded(around)
  const [command, file] = name === 'fastapi' ? [join(VENV, 'bin/python'), 'fastapi_app.py'] : [process.execPath, `${name}.js`]
  return started(name, { command, args: [join(FOLDER, file)], env: databaseOf(around), cores: around.cores.server })
}

async function started (name: string, launch: Launch): Promise<Server> {
  const server = await startServer(launch)
  return { ...server, name, title: TITLES[name] ?? name, isConstant: name === 'constant' }
}

function databaseOf ({ url, database }: Surroundings) {
  return { MONGODB_URL: url, MONGODB_DATABASE: database }
}

const FOLDER = fromRoot('bench/peers')
const VENV = join(FOLDER, '.venv')

/** Installs what the peers need, by their lockfile and their list of Python packages, unless it is there. */
export async function installPeers (names: string[]): Promise<void> {
  const needsNode = names.some((name) => name !== EMBEDDED && name !== 'fastapi')
  if (needsNode && !await isNewer(join(FOLDER, 'node_modules/.package-lock.json'), join(FOLDER, 'package-lock.json'))) {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER })
  }
  if (names.includes('fastapi')) await installPython()
}

async function isNewer (path: string, than: string): Promise<boolean> {
  const [one, other] = await Promise.all([path, than].map((file) => stat(file).catch(() => undefined)))
  return one !== undefined && other !== undefined && one.mtimeMs >= other.mtimeMs
}

/** A list of what is installed, kept in the virtual environment, tells whether it is the one that is wanted. */
async function installPython (): Promise<void> {
  const wanted = join(FOLDER, 'requirements.txt')
  const installed = join(VENV, 'requirements.txt')
  const [now, then] = await Promise.all([wanted, installed].map((file) => readFile(file, 'utf8').catch(() => '')))
  if (now === then) return
  await mkdir(VENV, { recursive: true })
  await run('python3', ['-m', 'venv', '--clear', VENV])
  await run(join(VENV, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', wanted])
  await copyFile(wanted, installed)
}
