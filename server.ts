import cluster from 'node:cluster'
import type { Http2SecureServer } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import studentCourseApi, { type AppOptions } from './app.js'
import { type Config, couchbaseOptionsOf, loadConfig, misspelled, readEnvFile, warningsOf } from './config.js'
import { hosts } from './lib/mongodb/connect.js'
import type { StoreChange } from './lib/mongodb/store-change.js'
import type { AuthOptions } from './lib/access/auth-options.js'
import { onSignal } from './lib/server/interrupt.js'
import { readKeys } from './lib/access/jwt-keys.js'
import { listenError } from './lib/server/listen-error.js'
import { LogDestination } from './lib/server/log-destination.js'
import { readTls } from './lib/server/tls-files.js'
import { student } from './schemas/student.js'
import { compressLists } from './server/compression.js'
import { allowOrigins } from './server/cors.js'
import { health, readiness } from './server/health.js'
import { home } from './server/home.js'
import { build } from './server/http.js'
import { lead } from './server/lead.js'
import { expose, Metrics } from './server/metrics.js'
import { workersOf } from './server/primary.js'
import { limitRates, shareQuotas } from './server/rate-limits.js'
import { refuseWrites } from './server/read-only.js'
import { serverTiming } from './server/server-timing.js'
import { sendInPieces } from './server/pieces.js'
import { shed } from './server/shedding.js'
import { countStreams } from './server/sizes.js'
import type { Store } from './server/store.js'
import { trace } from './server/tracing.js'
import { renewTls } from './server/tls.js'
import { PrimaryLine } from './server/worker.js'

/** Signals of a crash: a process that handles them in JavaScript never gets past the crash (Node's documentation of signal events). */
const CRASHES = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT'] as const

/** The signals that end the server; with TLS, SIGHUP has its files read again instead, but for one that a terminal sends as it closes. */
const ENDS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** How long the end waits for a start that is under way; a database that is being connected needs no more. */
const START_LIMIT_MS = 500

/** How many connections the kernel keeps until they are accepted: of one that it has no room for, the client tries again after a second. */
const BACKLOG = 4_096

/** How far the server has come. */
interface Life {
  isListening: boolean
  isEnding: boolean
}

try {
  readEnvFile(process.env)
  const config = loadConfig(process.env)
  if (cluster.isPrimary && workersOf(config) > 1) process.exit(await lead(config))
  await serve(config, PrimaryLine.open())
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exit(exitStatus)
}

/** @param primary where this process is one of several */
async function serve (config: Config, primary: PrimaryLine | undefined): Promise<void> {
  const life: Life = { isListening: false, isEnding: false }
  const log = new LogDestination(process.stdout.fd)
  const metrics = config.METRICS === 'on' || config.METRICS_PORT !== undefined ? new Metrics() : undefined
  const tls = readTls(config).files
  const app = build({ config, tls, log, onAnswered: (request, reply) => metrics?.answered(request, reply) })
  closeOnSignals({ app, config, log, life, primary })
  try {
    if (config.OTEL_EXPORTER_OTLP_ENDPOINT) await trace(app)
    if (config.SERVER_TIMING === 'on') serverTiming(app)
    if (config.CORS_ORIGINS) await allowOrigins(app, config.CORS_ORIGINS)
    if (config.SHED_DELAY_MS > 0 || config.SHED_MEMORY_MB > 0) await shed(app, { maxDelayMs: config.SHED_DELAY_MS, maxMemoryMb: config.SHED_MEMORY_MB })
    if (config.READ_ONLY === 'on') refuseWrites(app)
    if (config.COMPRESSION === 'on') compressLists(app)
    sendInPieces(app)
    countStreams(app)
    const quotas = config.RATE_LIMIT_QUOTA > 0 ? limitRates(app, { quota: config.RATE_LIMIT_QUOTA, windowS: config.RATE_LIMIT_WINDOW }) : undefined
    const store = await registerApi(app, config, primary)
    if (quotas && (config.MONGODB_URL || primary)) await shareQuotas(app, quotas, store, config.MONGODB_DATABASE)
    const state = readiness({
      unready: () => life.isEnding ? 'The server is about to end.' : undefined,
      ping: async (signal) => store.guard.read(async () => store.client.db(config.MONGODB_DATABASE).command({ ping: 1 }, { signal }))
    })
    await app.register(health, { state })
    await app.register(home, { state, store: config.MONGODB_URL ? 'MongoDB' : 'embedded', hasDocs: config.DOCS === 'on', students: `/${student.plural}/` })
    if (metrics) await expose(metrics, { app, store, config, log, primary })
    if (!life.isEnding) await listen(app, config, primary)
    life.isListening = app.server.listening
  } catch (error) {
    await app.close()
    // a start that is cut short may fail, which is of no interest any more
    if (!life.isEnding) throw listenError(error as Error, { host: config.HOST, port: config.PORT, variable: 'PORT' }) // nothing here throws anything else
  }
}

/** The API, as a host would register it; answers its store, after which the server looks. */
async function registerApi (app: FastifyInstance, config: Config, primary: PrimaryLine | undefined): Promise<Store> {
  const url = config.MONGODB_URL ?? primary?.storeUrl
  let store: Store | undefined
  await app.register(async (scope, options: AppOptions) => {
    await studentCourseApi(scope, options)
    store = { client: scope.mongo.client, guard: scope.storeGuard }
    if (config.AUTH === 'on') primary?.shareTurns(scope.loginQueue)
  }, {
    ...(url === undefined ? { embedded: config.DATA_DIR } : { url }),
    onStoreFailure: endWith,
    // workers lose it all together, which is to be one line
    ...primary && { onStoreChange: (change: StoreChange) => primary.tell({ type: 'store', change }) },
    database: config.MONGODB_DATABASE,
    timeoutMs: config.MONGODB_TIMEOUT_MS,
    couchbase: couchbaseOptionsOf(config),
    auth: authOf(config),
    bodyLimit: config.BODY_LIMIT,
    requireIfMatch: config.REQUIRE_IF_MATCH === 'on',
    idempotencyTtlSeconds: config.IDEMPOTENCY_TTL,
    docs: config.DOCS === 'on'
  })
  return store as unknown as Store // set by the plugin, which TypeScript does not see
}

function authOf (config: Config): AuthOptions | undefined {
  if (config.AUTH === 'off') return undefined
  return {
    keys: readKeys(config).keys,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    accessTokenTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTokenTtlSeconds: config.REFRESH_TOKEN_TTL
  }
}

/** One line says where the server is, whatever the log level: Fastify's own would be one for each address, or none. */
async function listen (app: FastifyInstance, config: Config, primary: PrimaryLine | undefined): Promise<void> {
  app.log.level = 'silent'
  const address = await app.listen({ host: config.HOST, port: config.PORT, backlog: BACKLOG })
  const url = config.TLS_CERT_FILE ? address.replace('http', 'https') : address
  app.log.level = config.LOG_LEVEL
  const log = app.log.child({}, { level: 'info' })
  const warnings = [...misspelled(process.env), ...warningsOf(config)]
  if (primary) return primary.tell({ type: 'listening', line: startLine(url, config), warnings })
  log.info(startLine(url, config))
  for (const warning of warnings) log.warn(warning)
}

interface Running {
  app: FastifyInstance
  config: Config
  log: LogDestination
  life: Life
  primary: PrimaryLine | undefined
}

function closeOnSignals ({ app, config, log, life, primary }: Running): void {
  const { SHUTDOWN_TIMEOUT_MS, SHUTDOWN_DELAY_MS } = config
  const delay = SHUTDOWN_DELAY_MS + SHUTDOWN_TIMEOUT_MS
  const grace = closeWithGrace({ delay, logger: app.log, skip: [...ENDS, ...CRASHES] }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'closing after an error that nothing caught')
    if (life.isListening && !err) await sleep(SHUTDOWN_DELAY_MS)
    const closed = app.close()
    await (life.isListening ? closed : Promise.race([closed.catch(() => {}), sleep(START_LIMIT_MS)]))
    await log.flush()
  })
  const handle = onSignal((signal) => {
    life.isEnding = true
    app.log.info(`closing after ${signal}`)
    grace.close()
  }, (signal) => {
    app.log.error(`second ${signal}, exiting`)
    log.flush().finally(() => process.exit(1))
  }, primary !== undefined || 'npm_lifecycle_event' in process.env)
  // a terminal sends its signals to all processes: of those a worker hears by its primary
  for (const signal of ENDS) process.on(signal, primary && signal !== 'SIGTERM' ? () => {} : handle)
  primary?.onSignal(handle)
  if (config.TLS_CERT_FILE && !primary && !process.stdout.isTTY) process.off('SIGHUP', handle).on('SIGHUP', () => readTlsAgain(app, config))
}

function readTlsAgain (app: FastifyInstance, config: Config): void {
  const faults = renewTls(app.server as unknown as Http2SecureServer, config) // as it was built with TLS
  if (faults.length > 0) app.log.error(`SIGHUP: the certificate stays as it was: ${faults.join('; ')}`)
  else app.log.info('SIGHUP: the certificate was read again')
}

/** Without its store a server has nothing to serve: it closes with exit status 1, and whatever keeps it running starts it anew. */
function endWith (error: Error): void {
  process.nextTick(() => { throw error })
}

function startLine (url: string, config: Config): string {
  const docs = config.DOCS === 'on' ? `docs at ${url}/docs` : 'docs off'
  const store = config.MONGODB_URL ? `MongoDB at ${hosts(config.MONGODB_URL)}` : `embedded in ${config.DATA_DIR}`
  return `Student Course API at ${url}, ${docs}, store: ${store}`
}
