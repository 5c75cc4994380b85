import { METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** The method QUERY (RFC 10008): safe and idempotent as GET, with a body. */
export const QUERY = 'QUERY'

/** The header Accept-Query (RFC 10008 section 3), a structured list of what the body may be. */
export const ACCEPT_QUERY = 'application/json'

/** Whether this Node and the host's Fastify know the method; Node 20.19 does not, and older releases of Fastify do not. */
export function knowsQuery ({ supportedMethods }: Pick<FastifyInstance, 'supportedMethods'>): boolean {
  return METHODS.includes(QUERY) && supportedMethods.includes(QUERY)
}
