import type { FastifyInstance, FastifyReply } from 'fastify'
import { HEALTH_TYPE } from '../lib/http/media-types.js'
import { withDeadline } from '../lib/mongodb/deadline.js'
import methods from '../plugins/allowed-methods.js'

/** Shorter than what an orchestrator waits for a probe by default, which is a second. */
const PROBE_LIMIT_MS = 800

/** So many probes as may come ask the database once in that time. */
const KEPT_MS = 250

export interface HealthOptions {
  /** Why no more requests should come, or undefined. */
  unready: () => string | undefined
  /** Resolves once the database answered. */
  ping: (signal: AbortSignal) => Promise<unknown>
}

/** What the server says of its health (draft-inadarei-api-health-check): `pass`, or `fail` with the reason. */
export interface Health {
  status: 'pass' | 'fail'
  output?: string
}

/**
 * `/livez`: the process answers. `/readyz`: it should get requests, which ends with the signal that ends the server, and while the database does not answer.
 */
export async function health (app: FastifyInstance, { state }: { state: () => Promise<Health> }): Promise<void> {
  await app.register(methods)
  const probe = { config: { isForOperators: true }, logLevel: 'warn', schema: { hide: true }, exposeHeadRoute: true } as const
  app.get('/livez', probe, async (_request, reply) => send(reply, { status: 'pass' }))
  app.get('/readyz', probe, async (_request, reply) => send(reply, await state()))
  app.closePaths()
}

/** Asks the database once for all who come while it is asked and shortly after. */
export function readiness ({ unready, ping }: HealthOptions): () => Promise<Health> {
  let asked: Promise<Health> | undefined
  return async () => {
    const output = unready()
    if (output !== undefined) return { status: 'fail', output }
    asked ??= withDeadline(PROBE_LIMIT_MS, ping).then((): Health => ({ status: 'pass' }), (): Health => ({ status: 'fail', output: 'The database does not answer.' })).finally(() => {
      setTimeout(() => { asked = undefined }, KEPT_MS).unref()
    })
    return asked
  }
}

async function send (reply: FastifyReply, state: Health) {
  return reply.code(state.status === 'pass' ? 200 : 503).header('cache-control', 'no-store').type(HEALTH_TYPE).send(JSON.stringify(state))
}
