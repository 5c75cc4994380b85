import { METHODS, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import studentCourseApi from './app.js'
import { type Config, couchbaseOptionsOf, loadConfig, misspelled, readEnvFile } from './config.js'
import { answerClientError, answerConnect, answerContinue, answerExpectation, answerLate } from './lib/server/client-error.js'
import { hosts } from './lib/mongodb/connect.js'
import type { AuthOptions } from './lib/access/auth-options.js'
import { HttpConnections } from './lib/server/http-connections.js'
import { onSignal } from './lib/server/interrupt.js'
import { readKeys } from './lib/access/jwt-keys.js'
import { listenError } from './lib/server/listen-error.js'
import { LogDestination } from './lib/server/log-destination.js'
import { logAbort, loggerOptions, requestIds, RequestLog, requestLogger } from './lib/server/logger.js'
import { isLoopback } from './lib/server/loopback.js'
import { refusalOf } from './lib/server/request-rules.js'
import { trustOf } from './lib/server/trust-proxy.js'
import { sendError, sendNotFound, sendProblem } from './plugins/errors.js'

/** Signals of a crash: a process that handles them in JavaScript never gets past the crash (Node's documentation of signal events). */
const CRASHES = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT'] as const

/** The signals that end the server. */
const ENDS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** How long after the signal requests that were sent before it may still arrive. */
const LINGER_MS = 250

/** Requests are held until no connection has been made for so long, and for no longer than that. */
const HOLD_MS = 50
const HOLD_LIMIT_MS = 500

/** How long the end waits for a start that is under way; a database that is being connected needs no more. */
const START_LIMIT_MS = 500

/** How often requests that take too long to arrive are looked for. */
const CHECK_MS = 1_000

/** How far the server has come. */
interface Life {
  isListening: boolean
  isEnding: boolean
}

try {
  readEnvFile(process.env)
  await serve(loadConfig(process.env))
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exit(exitStatus)
}

async function serve (config: Config): Promise<void> {
  const life: Life = { isListening: false, isEnding: false }
  const log = new LogDestination(process.stdout.fd)
  const app = build(config, log)
  closeOnSignals(app, config, log, life)
  try {
    await app.register(studentCourseApi, {
      ...(config.MONGODB_URL ? { url: config.MONGODB_URL } : { embedded: config.DATA_DIR }),
      onStoreFailure: endWith,
      database: config.MONGODB_DATABASE,
      timeoutMs: config.MONGODB_TIMEOUT_MS,
      couchbase: couchbaseOptionsOf(config),
      auth: authOf(config),
      bodyLimit: config.BODY_LIMIT,
      requireIfMatch: config.REQUIRE_IF_MATCH === 'on',
      idempotencyTtlSeconds: config.IDEMPOTENCY_TTL,
      docs: config.DOCS === 'on'
    })
    if (!life.isEnding) await listen(app, config)
    life.isListening = app.server.listening
  } catch (error) {
    await app.close()
    // a start that is cut short may fail, which is of no interest any more
    if (!life.isEnding) throw listenError(error as Error, config) // nothing here throws anything else
  }
}

function build (config: Config, log: LogDestination): FastifyInstance {
  const app: FastifyInstance = Fastify<Server>({
    logger: loggerOptions(config.LOG_LEVEL, process.stdout.isTTY, log),
    logController: new RequestLog((request) => connections.end(request.raw.socket, request)),
    genReqId: requestIds(),
    childLoggerFactory: requestLogger,
    trustProxy: config.TRUST_PROXY ? trustOf(config.TRUST_PROXY) : false,
    requestTimeout: 0, // limitBodies has that
    connectionTimeout: config.CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    // Node looks for headers over their time at an interval
    http: { headersTimeout: config.REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS, requireHostHeader: false },
    pluginTimeout: 0, // connecting has its own limit
    return503OnClosing: false, // what was sent before the signal is answered
    frameworkErrors: sendError,
    clientErrorHandler: answerClientError
  })
  const connections = new HttpConnections<FastifyRequest>(app.server, { onAbort: logAbort })
  limitBodies(app, connections, config)
  // methods that Fastify does not know are 405 on known paths too, and that is told without reading a body
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.setNotFoundHandler(sendNotFound)
  app.setErrorHandler(sendError)
  refuseBrokenRules(app, connections, config)
  app.server.on('checkExpectation', answerExpectation)
  app.server.on('checkContinue', answerContinue(config.BODY_LIMIT))
  app.server.on('connect', answerConnect)
  app.addHook('preClose', async () => {
    await sleep(LINGER_MS)
    connections.hold()
    await connections.quiet(HOLD_MS, HOLD_LIMIT_MS)
    setInterval(() => {
      if (!app.server.listening) connections.letGo()
      // a connection whose request was under way when closing began is kept alive: close it once it is idle
      connections.closeIdle()
    }, 10).unref()
  })
  return app
}

/** A body has its time to arrive, but for one that its route reads while it comes. */
function limitBodies (app: FastifyInstance, connections: HttpConnections<FastifyRequest>, { REQUEST_TIMEOUT_MS }: Config): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.routeOptions.config.isStreamed) connections.limit(request.raw)
    done()
  })
  const timer = setInterval(() => connections.late(REQUEST_TIMEOUT_MS).forEach(answerLate), CHECK_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

function refuseBrokenRules (app: FastifyInstance, connections: HttpConnections<FastifyRequest>, config: Config): void {
  const rules = {
    isLocal: config.AUTH === 'off' && isLoopback(config.HOST),
    allowedHosts: new Set(config.ALLOWED_HOSTS?.toLowerCase().split(','))
  }
  app.addHook('onRequest', (request, reply, done) => {
    connections.begin(request.raw.socket, request)
    const refusal = refusalOf(request.raw, rules)
    if (refusal) sendProblem(request, reply, refusal.status, refusal.detail)
    else connections.admit(done)
  })
}

function authOf (config: Config): AuthOptions | undefined {
  if (config.AUTH === 'off') return undefined
  return { keys: readKeys(config).keys, issuer: config.JWT_ISSUER, audience: config.JWT_AUDIENCE }
}

/** One line says where the server is, whatever the log level: Fastify's own would be one for each address, or none. */
async function listen (app: FastifyInstance, config: Config): Promise<void> {
  app.log.level = 'silent'
  const url = await app.listen({ host: config.HOST, port: config.PORT })
  app.log.level = config.LOG_LEVEL
  const log = app.log.child({}, { level: 'info' })
  log.info(startLine(url, config))
  for (const warning of [...misspelled(process.env), ...warningsOf(config)]) log.warn(warning)
}

function warningsOf (config: Config): string[] {
  if (config.AUTH === 'on') return []
  return [
    ...(isLoopback(config.HOST) ? [] : ['AUTH is off: anyone who can reach this address can read and change everything']),
    ...(config.JWT_SECRET || config.JWT_SECRET_FILE ? ['AUTH is off: the keys of JWT_SECRET are not used'] : [])
  ]
}

function closeOnSignals (app: FastifyInstance, { SHUTDOWN_TIMEOUT_MS: delay }: Config, log: LogDestination, life: Life): void {
  const grace = closeWithGrace({ delay, logger: app.log, skip: [...ENDS, ...CRASHES] }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'closing after an error that nothing caught')
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
  }, 'npm_lifecycle_event' in process.env)
  for (const signal of ENDS) process.on(signal, handle)
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
