import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import getPort from 'get-port'
import { ConnectionString } from 'mongodb-connection-string-url'
import { find } from '../../dist/embedded/index.js'
import { fromRoot, need, start, startServer, type Cores, type Launch, type Running } from './process.js'

const EMBEDDED = 'embedded'

/** What ours can be measured against, with the titles that are shown; the embedded store is ours on another database. */
export const TITLES: Record<string, string> = {
  embedded: 'ours, embedded',
  bare: 'node:http + driver',
  fastify: 'Fastify + @fastify/mongodb',
  mongoose: 'Express + Mongoose',
  fastapi: 'FastAPI + PyMongo',
  constant: 'constant route'
}

export const PEERS = Object.keys(TITLES)

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

/** Starts ours, as `npm start` does but for its log of requests: no peer has one. Another revision has a root and a name of its own. */
export async function startOurs (around: Surroundings, name = 'ours', root = fromRoot('.'), env: NodeJS.ProcessEnv = {}): Promise<Server> {
  return started(name, ours(around, root, { ...databaseOf(around), ...env }, around.cores.server))
}

/** Starts ours on an embedded store, which is a thread of it: both have the cores that a server and a database have together. */
export async function startEmbedded (around: Surroundings, name = EMBEDDED, root = fromRoot('.'), env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const data = join(around.folder, name)
  const server = await started(name, ours(around, root, { ...databaseOf({ ...around, url: '' }), DATA_DIR: data, ...env }, around.cores.all))
  const embeddedUrl = await find(data)
  if (embeddedUrl === undefined) throw new Error('the embedded store can not be found')
  return { ...server, embeddedUrl }
}

/** Starts one of `PEERS`; the one in Python once `installPython` has been called. */
export async function startPeer (around: Surroundings, name: string): Promise<Server> {
  if (name === EMBEDDED) return startEmbedded(around)
  const command = name === 'fastapi' ? [join(VENV, 'bin/python'), join(FOLDER, 'fastapi_app.py')] : [process.execPath, join(FOLDER, `${name}.js`)]
  return started(name, { command, env: databaseOf(around), cores: around.cores.server })
}

// in a folder of its own there is no .env file
const ours = ({ folder }: Surroundings, root: string, env: NodeJS.ProcessEnv, cores?: string): Launch =>
  ({ command: [process.execPath, join(root, 'dist/server.js')], cwd: folder, env: { LOG_LEVEL: 'warn', ...env }, cores })

const databaseOf = ({ url, database }: Surroundings) => ({ MONGODB_URL: url, MONGODB_DATABASE: database })

async function started (name: string, launch: Launch): Promise<Server> {
  return { ...await startServer(launch), name, title: TITLES[name] ?? name, isConstant: name === 'constant' }
}

const FOLDER = fromRoot('bench/peers')
export const VENV = join(FOLDER, '.venv')

/** Installs the packages of the peer in Python; where they are installed, pip sees that. */
export async function installPython (): Promise<void> {
  await execa('python3', ['-m', 'venv', VENV])
  await execa(join(VENV, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', join(FOLDER, 'requirements.txt')])
}

/** A revision of this project, built in a folder of its own below `folder`; answers its root. */
export async function checkout (revision: string, folder: string): Promise<string> {
  const root = join(folder, 'revision')
  const { stdout } = await execa('git', ['rev-parse', '--verify', `${revision}^{commit}`], { cwd: fromRoot('.') })
  await execa('git', ['clone', '--quiet', '--shared', '--no-checkout', fromRoot('.'), root])
  await execa('git', ['checkout', '--quiet', '--detach', stdout], { cwd: root })
  await execa('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root })
  await execa('npm', ['run', 'build'], { cwd: root })
  return root
}

/** Connections that each server may open to the database: the default of all the drivers, here as said by the URL. */
const POOL_SIZE = '100'

/** Starts SecantusDB's Rust server in a folder. Throws an Error that says how to build it where it is missing. */
export async function startDatabase (program: string, folder: string, options: string[] = []): Promise<Running> {
  await need(program, `Name a MongoDB server by --url, or build SecantusDB's Rust server:
  cargo +nightly install secantus-mdb --version 0.5.3-beta.196 --ignore-rust-version --root DIR
and name it: SECANTUSD=DIR/bin/secantusd-rs npm run bench`)
  const port = await getPort({ host: '127.0.0.1' })
  await mkdir(folder)
  const command = [program, '--port', String(port), '--storage-path', folder, '--log-level', 'WARNING', ...options]
  return start({ command }, `mongodb://127.0.0.1:${port}/?directConnection=true`, async () => listens(port))
}

/** What the program says of itself. */
export const versionOf = async (program: string) => `SecantusDB's Rust server, ${(await execa(program, ['--version'])).stdout.split('\n', 1)[0]}`

/** A URL with the same pool for each driver that gets it, unless it has one already; and what is known of the server. */
export function withPool (text: string): { url: string, title: string } {
  const url = new ConnectionString(text)
  if (!url.searchParams.has('maxPoolSize')) url.searchParams.set('maxPoolSize', POOL_SIZE)
  return { url: url.href, title: `a MongoDB server at ${url.hosts.join()}` }
}

async function listens (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(() => true, () => false).finally(() => socket.destroy())
}
