import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { get as getSecurely } from 'node:https'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import type { Collection } from 'mongodb'
import { type Config, loadConfig, misspelled, readEnvFile, warningsOf } from '../config.js'
import { connect, hosts } from '../lib/mongodb/connect.js'
import { indexText, indexesFor, missingIndexes } from '../lib/resources/indexes.js'
import type { StoredDocument } from '../lib/resources/mongo-records.js'
import { listenError } from '../lib/server/listen-error.js'
import { readTls } from '../lib/server/tls-files.js'
import { student } from '../schemas/student.js'
import type { Answer } from './program.js'
import { hasStore } from './store.js'
import type { Surroundings } from './surroundings.js'

/** What a look found, and what to do about it. */
interface Finding {
  state: 'ok' | 'warning' | 'error'
  text: string
}

type Check = (config: Config, limits: Limits) => Promise<Finding[]>

interface Limits {
  /** How much of the disk should be free. */
  leastFreeBytes: number
}

const DAY_MS = 86_400_000

/** A certificate that ends sooner should have been renewed: authorities that renew by themselves do it 30 days before. */
const CERTIFICATE_DAYS = 14

/** A store needs room for what is written next, and for a copy of itself as a backup. */
const LEAST_FREE_BYTES = 1024 ** 3

const OLDEST_NODE = [20, 19] as const

const ok = (text: string): Finding => ({ state: 'ok', text })
const warning = (text: string): Finding => ({ state: 'warning', text })
const error = (text: string): Finding => ({ state: 'error', text })

const checks: readonly Check[] = [ofSettings, ofStore, ofPort, ofKeys, ofCertificate]

/** Looks whether a server would run well with these settings, on this machine; answers a line for each finding, none of which holds a secret. */
export async function runDoctor ({ env }: Pick<Surroundings, 'env'>, { version = process.versions.node, leastFreeBytes = LEAST_FREE_BYTES } = {}): Promise<Answer> {
  const findings = [ofNode(version), ...await withSettings(env, { leastFreeBytes })]
  const width = 'warning'.length
  return { text: findings.map(({ state, text }) => `${state.padEnd(width)}  ${text}`).join('\n'), isFault: findings.some(({ state }) => state === 'error') }
}

function ofNode (version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor, leastMinor] = OLDEST_NODE
  const isNewEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor)
  return isNewEnough ? ok(`Node ${version}`) : error(`Node ${version} is too old: install ${leastMajor}.${leastMinor} or newer`)
}

async function withSettings (env: NodeJS.ProcessEnv, limits: Limits): Promise<Finding[]> {
  try {
    readEnvFile(env)
    const config = loadConfig(env)
    const found = await Promise.all(checks.map(async (check) => check(config, limits).catch(({ message }: Error) => [error(message.replace(/^student-course-api: /, ''))])))
    return [...misspelled(env).map(warning), ...found.flat()]
  } catch (fault) {
    return (fault as Error).message.split('\n').map(error) // nothing here throws anything else
  }
}

async function ofSettings (config: Config): Promise<Finding[]> {
  const warnings = warningsOf(config)
  return warnings.length > 0 ? warnings.map(warning) : [ok(`access control is ${config.AUTH}, the address is ${config.HOST}`)]
}

async function ofStore (config: Config, { leastFreeBytes }: Limits): Promise<Finding[]> {
  return config.MONGODB_URL ? ofDatabase(config.MONGODB_URL, config) : ofFolder(config.DATA_DIR, leastFreeBytes)
}

async function ofDatabase (url: string, { MONGODB_DATABASE, MONGODB_TIMEOUT_MS }: Config): Promise<Finding[]> {
  const client = await connect(url, { timeoutMs: MONGODB_TIMEOUT_MS })
  try {
    const database = client.db(MONGODB_DATABASE)
    const started = performance.now()
    const { setName, localTime } = await database.command({ hello: 1 })
    const roundTripMs = performance.now() - started
    const answers = `MongoDB at ${hosts(url)} answers in ${roundTripMs.toFixed(1)} ms`
    return [
      roundTripMs * 4 > MONGODB_TIMEOUT_MS ? warning(`${answers}, which is much of MONGODB_TIMEOUT_MS`) : ok(answers),
      setName === undefined ? warning('the database is no replica set: a write that it acknowledged can be lost with its disk') : ok(`it is the replica set ${setName}`),
      ...ofClock(localTime),
      ...await ofIndexes(database.collection<StoredDocument>(student.collection))
    ]
  } finally {
    await client.close()
  }
}

/** Tokens and keys of requests end by the clock of a server, and documents that expire by that of the database. */
function ofClock (time: unknown): Finding[] {
  if (!(time instanceof Date)) return []
  const seconds = Math.abs(Date.now() - time.getTime()) / 1_000
  return seconds < 5 ? [] : [warning(`its clock and that of this machine differ by ${Math.round(seconds)} s: keep both by NTP`)]
}

async function ofIndexes (collection: Collection<StoredDocument>): Promise<Finding[]> {
  const missing = await missingIndexes(collection, indexesFor(student))
  const { collectionName } = collection
  return [missing.length === 0 ? ok(`${collectionName} has the indexes of its lists`) : warning(`${collectionName} lacks ${missing.map(indexText).join(', ')}: create them with student-course-api indexes --create`)]
}

async function ofFolder (path: string, leastFreeBytes: number): Promise<Finding[]> {
  const folder = await nearestFolder(path)
  // by doing it: a disk that is mounted to be read lets root believe otherwise
  const isWritable = await mkdtemp(join(folder, '.doctor-')).then(rmdir).then(() => true, () => false)
  if (!isWritable) return [error(`the folder ${folder}, for the embedded store, cannot be written by this user`)]
  const { bavail, bsize } = await statfs(folder)
  const gigabytes = (bavail * bsize / 1024 ** 3).toFixed(1)
  return [
    bavail * bsize < leastFreeBytes ? warning(`${folder} has ${gigabytes} GiB free: a full disk ends all writes`) : ok(`${folder} can be written, ${gigabytes} GiB are free`),
    ...await ofContents(path)
  ]
}

/** The folder, or the one in which a start would make it. */
async function nearestFolder (path: string): Promise<string> {
  const isThere = await stat(path).then((found) => found.isDirectory(), () => false)
  const parent = dirname(resolve(path))
  return isThere || parent === path ? path : nearestFolder(parent)
}

async function ofContents (path: string): Promise<Finding[]> {
  const { check, find } = await import('../embedded/index.js')
  if (!await hasStore(path)) return [ok('there is no store yet: the first start makes one')]
  if (await find(path) !== undefined) return [ok('a server has the store open: to look for damage, check a backup of it')]
  const { documents } = await check(path)
  return [ok(`the store is sound: ${documents} documents`)]
}

/** A port in use is right where it is this server's own. */
async function ofPort ({ HOST, PORT, TLS_CERT_FILE }: Config): Promise<Finding[]> {
  const server = createServer().listen({ host: HOST, port: PORT })
  const fault = await once(server, 'listening').then(() => undefined, (error: NodeJS.ErrnoException) => error)
  server.close()
  if (!fault) return [ok(PORT === 0 ? 'the port is any that is free' : `port ${PORT} of ${HOST} is free`)]
  if (fault.code === 'EADDRINUSE' && await isOurs(reachable(HOST), PORT, TLS_CERT_FILE !== undefined)) return [ok(`port ${PORT} of ${HOST} is that of a server of this API`)]
  return [error(listenError(fault, { host: HOST, port: PORT, variable: 'PORT' }).message)]
}

async function isOurs (host: string, port: number, isSecure: boolean): Promise<boolean> {
  const options = { host, port, path: '/livez', signal: AbortSignal.timeout(1_000) }
  // whose certificate is for the names of its clients
  const request = isSecure ? getSecurely({ ...options, rejectUnauthorized: false }) : get(options)
  try {
    const [answer] = await once(request, 'response') as [IncomingMessage]
    answer.resume()
    return answer.headers['x-request-id'] !== undefined
  } catch {
    return false
  }
}

/** An address at which one that stands for all is reached. */
function reachable (host: string): string {
  return new Map([['0.0.0.0', '127.0.0.1'], ['::', '::1']]).get(host) ?? host
}

/** What the keys hold was found good when the settings were read. */
async function ofKeys ({ AUTH, JWT_SECRET_FILE }: Config): Promise<Finding[]> {
  if (AUTH === 'off' || !JWT_SECRET_FILE || process.platform === 'win32') return []
  const { mode } = await stat(JWT_SECRET_FILE)
  return [(mode & 0o077) === 0 ? ok('JWT_SECRET_FILE is readable by this user alone') : warning(`JWT_SECRET_FILE is readable by others: chmod 600 ${JWT_SECRET_FILE}`)]
}

async function ofCertificate (config: Config): Promise<Finding[]> {
  const { files } = readTls(config)
  if (!files) return []
  const { validTo } = new X509Certificate(files.cert)
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS)
  if (days < 0) return [error(`the certificate of TLS_CERT_FILE ended on ${validTo}: renew it, and send the server SIGHUP`)]
  return [days < CERTIFICATE_DAYS ? warning(`the certificate of TLS_CERT_FILE ends on ${validTo}: renew it, and send the server SIGHUP`) : ok(`the certificate is good for ${days} days`)]
}
