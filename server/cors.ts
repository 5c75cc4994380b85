import fastifyCors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The headers of answers that a page may read, besides those that every page may. */
const EXPOSED = [
  'ETag', 'Link', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Accept-Patch', 'Accept-Query', 'Idempotent-Replayed', 'Preference-Applied',
  'Server-Timing', 'Content-Disposition', 'X-Request-Id'
]

/** How long a browser may remember what a preflight was answered, in seconds. */
const MAX_AGE_S = 600

/**
 * Lets pages of other origins use the API (Fetch Standard, CORS). Tokens come in a header that a page sets itself, so no cookie or
 * other credentials of the browser's are needed; they are allowed to origins that are named, never to all.
 * @param origins origins, separated by commas, or `*`
 */
export async function allowOrigins (app: FastifyInstance, origins: string): Promise<void> {
  const isAll = origins === '*'
  const options = {
    origin: isAll ? '*' : origins.split(','),
    credentials: !isAll,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'],
    exposedHeaders: EXPOSED,
    maxAge: MAX_AGE_S
  }
  // an OPTIONS request that is no preflight asks what there is at a path, which the routes answer
  const isPreflight = ({ headers }: FastifyRequest) => headers.origin !== undefined && headers['access-control-request-method'] !== undefined
  await app.register(fastifyCors, {
    delegator: (request, done) => done(null, { ...options, preflight: isPreflight(request) })
  })
}
