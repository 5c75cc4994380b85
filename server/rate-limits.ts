import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../lib/http/client-network.js'
import { abortable, OF_PRIMARY } from '../lib/mongodb/driver-options.js'
import { removeExpired } from '../lib/mongodb/expiry.js'
import { Quotas, type Quota } from '../lib/server/quotas.js'
import type { Store } from './store.js'
import { usernameOf } from '../plugins/access-control.js'
import { problem, PROBLEM_TYPE } from '../schemas/problem.js'

const TYPE = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

interface RateCounter {
  _id: string
  count: number
  expires_at: Date
}

export interface RateLimitOptions {
  quota: number
  windowS: number
}

/**
 * How many requests a caller may send: a user who has shown who they are, or else a network. Fields after draft-ietf-httpapi-ratelimit-headers-10. A request
 * with a token counts for its user, whom only the API's own hooks know, so it is counted after those; one whose token is not good counts for its network.
 */
export function limitRates (app: FastifyInstance, { quota, windowS }: RateLimitOptions): Quotas {
  const quotas = new Quotas({ quota, windowMs: windowS * 1_000 })
  const policy = `"default";q=${quota};w=${windowS}`
  const counted = new WeakSet<FastifyRequest>()

  const count = (request: FastifyRequest, reply: FastifyReply, key: string): Quota => {
    counted.add(request)
    const left = quotas.take(key)
    reply.header('ratelimit-policy', policy).header('ratelimit', `"default";r=${left.remaining};t=${left.resetS}`)
    return left
  }
  /** Whether the request was answered 429. */
  const isRefused = (request: FastifyRequest, reply: FastifyReply, key: string): boolean => {
    const { isOver, resetS } = count(request, reply, key)
    if (isOver) refuse(request, reply, resetS)
    return isOver
  }
  const isFree = ({ routeOptions, method }: FastifyRequest) => routeOptions.config.isForOperators === true || method === 'OPTIONS'
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.authorization !== undefined || isFree(request) || !isRefused(request, reply, networkKey(request))) done()
  })
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (counted.has(request) || isFree(request)) return done()
    const username = usernameOf(request)
    if (!isRefused(request, reply, username === undefined ? networkKey(request) : `user:${username}`)) done()
  })
  app.addHook('onSend', async (request, reply) => {
    // its token was refused: it is answered already
    if (!counted.has(request) && !isFree(request)) count(request, reply, networkKey(request))
  })
  return quotas
}

/** Has all processes on one database count together, in its collection `rate_counters`. */
export async function shareQuotas (app: FastifyInstance, quotas: Quotas, { client, guard }: Store, database: string): Promise<void> {
  const counters = client.db(database).collection<RateCounter>('rate_counters', OF_PRIMARY)
  const stop = await removeExpired(counters, guard)
  if (stop) app.addHook('onClose', async () => stop())
  quotas.share = async (key, by, windowEnd) => {
    const counter = await guard.write(async (signal) => counters.findOneAndUpdate(
      { _id: `${key}:${windowEnd}` }, { $inc: { count: by }, $setOnInsert: { expires_at: new Date(windowEnd) } },
      { upsert: true, returnDocument: 'after', ...abortable(signal) }))
    return (counter as RateCounter).count // as an upsert has one
  }
}

function networkKey (request: FastifyRequest): string {
  return `network:${networkOf(request.ip, String(request.socket.remoteAddress))}`
}

function refuse (request: FastifyRequest, reply: FastifyReply, resetS: number): void {
  const detail = `This is more than the quota allows. It begins anew in ${resetS} s. Nothing was changed.`
  reply.code(429).header('retry-after', resetS).type(PROBLEM_TYPE)
    .send({ ...problem(429, detail, request.url), type: TYPE, 'violated-policies': ['default'], request_id: request.id })
}
