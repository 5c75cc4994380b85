import underPressure from '@fastify/under-pressure'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Admission } from '../lib/server/admission.js'
import { problem, PROBLEM_TYPE } from '../schemas/problem.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered whatever the load is, and counted by no limit: what operators ask. */
    isForOperators?: boolean
  }
}

/** How often load is looked at. */
const SAMPLE_MS = 250

/** When a client should ask again. */
const RETRY_AFTER_S = 1

/** As long as requests are turned away, one log line in so long says so. */
const TOLD_EVERY_MS = 10_000

const TYPE = 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'

export interface SheddingOptions {
  /** How late the event loop or answers may be, in milliseconds; 0 is no limit. */
  maxDelayMs: number
  /** How much memory the process may hold, in MiB; 0 is no limit. */
  maxMemoryMb: number
}

/**
 * Turns requests away while the process, or its database, has more to do than it can: 503 at once costs next to nothing, and those that are let in are answered
 * in time. What operators ask is always answered.
 */
export async function shed (app: FastifyInstance, { maxDelayMs, maxMemoryMb }: SheddingOptions): Promise<void> {
  let toldAt = -Infinity
  const refuse = (request: FastifyRequest, reply: FastifyReply, reason: string) => {
    if (performance.now() - toldAt > TOLD_EVERY_MS) {
      toldAt = performance.now()
      app.log.warn(`requests are turned away: ${reason}`)
    }
    reply.code(503).header('retry-after', RETRY_AFTER_S).type(PROBLEM_TYPE)
    return { ...problem(503, 'The server has more to do than it can. Nothing was changed.', request.url), type: TYPE, request_id: request.id }
  }
  if (maxDelayMs > 0) admit(app, maxDelayMs, refuse)
  let isLoadFrom = -Infinity
  // what a start has to load makes it late, which is no load: the first whole sample counts
  app.addHook('onListen', async () => { isLoadFrom = performance.now() + 2 * SAMPLE_MS })
  await app.register(underPressure, {
    sampleInterval: SAMPLE_MS,
    maxEventLoopDelay: maxDelayMs,
    maxRssBytes: maxMemoryMb * 1024 * 1024,
    pressureHandler: (request, reply, type, value) => {
      if (request.routeOptions.config.isForOperators) return undefined
      if (type === 'eventLoopDelay' && performance.now() < isLoadFrom) return undefined
      const what = type === 'eventLoopDelay'
        ? `the event loop is ${Math.round(Number(value))} ms late, over SHED_DELAY_MS`
        : `the process holds ${Math.round(Number(value) / 1024 / 1024)} MiB, over SHED_MEMORY_MB`
      return refuse(request, reply, what) as unknown as Promise<void> // the plugin sends what is answered, which its types do not say; nothing lets the request in
    }
  })
}

/** Lets in as many requests as are answered in time. What has a queue of its own, or takes as long as its client, counts for nothing. */
function admit (app: FastifyInstance, maxWaitMs: number, refuse: (request: FastifyRequest, reply: FastifyReply, reason: string) => object): void {
  const admission = new Admission(maxWaitMs)
  const isFree = ({ isForOperators, hasOwnQueue, isStreamed }: FastifyContextConfig) => isForOperators === true || hasOwnQueue === true || isStreamed === true
  app.addHook('onRequest', (request, reply, done) => {
    if (isFree(request.routeOptions.config) || !admission.refuses()) return done()
    const { underWay } = admission.load
    reply.send(refuse(request, reply, `${underWay} are under way, as many as are answered within SHED_DELAY_MS`))
  })
  // once the body is there: a client that is slow to send it waits for nobody
  app.addHook('preValidation', (request, reply, done) => {
    if (!isFree(request.routeOptions.config)) {
      admission.enter(request.raw)
      reply.raw.once('close', () => admission.leave(request.raw))
    }
    done()
  })
  app.addHook('onSend', (request, _reply, _payload, done) => {
    admission.leave(request.raw)
    done()
  })
  const timer = setInterval(() => admission.sample(), SAMPLE_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
}
