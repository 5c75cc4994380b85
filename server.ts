import { METHODS, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance } from 'fastify'
import studentCourseApi from './app.js'
import { loadConfig, readEnvFile, type Config } from './config.js'
import { answerClientError, answerExpectation } from './lib/client-error.js'
import { hosts } from './lib/connect.js'
import type { AuthOptions } from './lib/auth-options.js'
import { onInterrupt } from './lib/interrupt.js'
import { couchbaseOf } from './lib/store-of.js'
import { readKeys } from './lib/jwt-keys.js'
import { loggerOptions, requestIds, RequestLog, requestLogger } from './lib/logger.js'
import { isLoopback } from './lib/loopback.js'
import { refuseWithoutHost, sendError, sendNotFound } from './plugins/errors.js'

/** Signals of a crash: a process that handles them in JavaScript never gets past the crash (Node's documentation of signal events). */
const CRASHES = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT'] as const

/** How long after the signal requests that were sent before it may still arrive. */
const LINGER_MS = 250

try {
  readEnvFile()
  await serve(loadConfig(process.env))
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exit(exitStatus)
}

async function serve (config: Config): Promise<void> {
  const app = build(config)
  closeOnSignals(app, config.SHUTDOWN_TIMEOUT_MS)
  try {
    await app.register(studentCourseApi, {
      ...(config.MONGODB_URL ? { url: config.MONGODB_URL } : { embedded: config.DATA_DIR }),
      onStoreFailure: endWith,
      database: config.MONGODB_DATABASE,
      timeoutMs: config.MONGODB_TIMEOUT_MS,
      couchbase: couchbaseOf(config),
      auth: authOf(config),
      bodyLimit: config.BODY_LIMIT,
      docs: config.DOCS === 'on'
    })
    await listen(app, config)
  } catch (error) {
    await app.close()
    throw error
  }
}

function build (config: Config): FastifyInstance {
  const app: FastifyInstance = Fastify<Server>({
    logger: loggerOptions(config.LOG_LEVEL, process.stdout.isTTY),
    logController: new RequestLog(),
    genReqId: requestIds(),
    childLoggerFactory: requestLogger,
    trustProxy: config.TRUST_PROXY ?? false,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    connectionTimeout: config.CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    // Node looks for requests over their time at an interval, and overlooks them if its limit for headers is the longer
    http: { headersTimeout: config.REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    pluginTimeout: 0, // connecting has its own limit
    return503OnClosing: false, // what was sent before the signal is answered
    frameworkErrors: sendError,
    clientErrorHandler: answerClientError
  })
  // methods that Fastify does not know are 405 on known paths too, and that is told without reading a body
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.setNotFoundHandler(sendNotFound)
  app.setErrorHandler(sendError)
  app.addHook('onRequest', refuseWithoutHost)
  app.server.on('checkExpectation', answerExpectation)
  app.addHook('preClose', async () => {
    await sleep(LINGER_MS)
    // a connection whose request was under way when closing began is kept alive: close it once it is idle
    setInterval(() => app.server.closeIdleConnections(), 50).unref()
  })
  return app
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
  if (config.AUTH === 'on') return
  if (!isLoopback(config.HOST)) log.warn('AUTH is off: whoever reaches this address may read and change everything')
  if (config.JWT_SECRET || config.JWT_SECRET_FILE) log.warn('AUTH is off: the keys of JWT_SECRET are not used')
}

function closeOnSignals (app: FastifyInstance, delay: number): void {
  closeWithGrace({ delay, logger: app.log, skip: ['SIGINT', ...CRASHES] }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'closing after an error that nothing caught')
    else app.log.info(`closing after ${signal}`)
    await app.close()
  })
  process.on('SIGINT', onInterrupt(() => process.emit('SIGTERM', 'SIGTERM'), 'npm_lifecycle_event' in process.env))
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
