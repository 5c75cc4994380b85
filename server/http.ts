import { METHODS, type RequestListener, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type onSendHookHandler } from 'fastify'
import type { Config } from '../config.js'
import { answerClientError, answerConnect, answerContinue, answerExpectation, answerLate } from '../lib/server/client-error.js'
import { HttpConnections } from '../lib/server/http-connections.js'
import type { LogDestination } from '../lib/server/log-destination.js'
import { logAbort, loggerOptions, requestIds, RequestLog, requestLogger } from '../lib/server/logger.js'
import { isLoopback } from '../lib/server/loopback.js'
import type { TlsFiles } from '../lib/server/tls-files.js'
import { refusalOf } from '../lib/server/request-rules.js'
import { trustOf } from '../lib/server/trust-proxy.js'
import { answerUnder, withoutBase } from './base-path.js'
import { createTlsServer } from './tls.js'
import { usernameOf } from '../plugins/access-control.js'
import { sendError, sendNotFound, sendProblem } from '../plugins/errors.js'

/** How long after the signal requests that were sent before it may still arrive. */
const LINGER_MS = 250

/** Requests are held until no connection has been made for so long, and for no longer than that. */
const HOLD_MS = 50
const HOLD_LIMIT_MS = 500

/** How often requests that take too long to arrive are looked for. */
const CHECK_MS = 1_000

export interface BuildOptions {
  config: Config
  /** For TLS. */
  tls?: TlsFiles | undefined
  log: LogDestination
  /** Told of each request that was answered. */
  onAnswered: (request: FastifyRequest, reply: FastifyReply) => void
}

/** The Fastify instance of the server, with what it asks of every connection and request; nothing is served yet. */
export function build ({ config, tls, log, onAnswered }: BuildOptions): FastifyInstance {
  const app: FastifyInstance = Fastify<Server>({
    logger: loggerOptions({ level: config.LOG_LEVEL, isTerminal: process.stdout.isTTY, destination: log, userOf: usernameOf }),
    logController: new RequestLog((request, reply) => {
      connections.end(request.raw, request)
      onAnswered(request, reply)
    }),
    genReqId: requestIds(),
    childLoggerFactory: requestLogger,
    ...config.BASE_PATH && { rewriteUrl: withoutBase(config.BASE_PATH) },
    trustProxy: config.TRUST_PROXY ? trustOf(config.TRUST_PROXY) : false,
    requestTimeout: 0, // limitBodies has that
    connectionTimeout: config.CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    // Node looks for headers over their time at an interval
    http: { headersTimeout: config.REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS, requireHostHeader: false },
    // of HTTP/2 and HTTP/1.1, whose requests and answers have the same methods
    ...tls && { serverFactory: (handle: RequestListener) => createTlsServer(tls, config, handle) as unknown as Server },
    pluginTimeout: 0, // connecting has its own limit
    return503OnClosing: false, // what was sent before the signal is answered
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      sendError(error, request, reply)
    },
    clientErrorHandler: answerClientError
  })
  const connections = new HttpConnections<FastifyRequest>(app.server, { onAbort: logAbort })
  limitBodies(app, connections, config)
  // methods that Fastify does not know are 405 on known paths too, and that is told without reading a body
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.setNotFoundHandler(sendNotFound)
  app.setErrorHandler(sendError)
  if (config.BASE_PATH || config.TRUST_PROXY) answerUnder(app, { basePath: config.BASE_PATH, proxies: config.TRUST_PROXY })
  refuseBrokenRules(app, connections, config)
  if (tls) app.addHook('onSend', dropConnection)
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

/** Where a body is not read to its end, Fastify asks for the connection to be closed; HTTP/2 has no such header (RFC 9113 section 8.2.2), and ends the stream. */
const dropConnection: onSendHookHandler = (request, reply, payload, done) => {
  if (request.raw.httpVersionMajor === 2) reply.removeHeader('connection')
  done(null, payload)
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
    connections.begin(request.raw, request)
    reply.header('x-request-id', request.id)
    const refusal = refusalOf(request.raw, rules)
    if (refusal) sendProblem(request, reply, refusal.status, refusal.detail)
    else connections.admit(done)
  })
}
