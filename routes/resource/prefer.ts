import type { FastifyRequest } from 'fastify'

/** Whether the client would rather have no body (RFC 7240 section 4.2); of two such preferences the first one counts (section 2). */
export function isMinimal ({ headers: { prefer } }: FastifyRequest): boolean {
  if (prefer === undefined) return false
  const [, preference] = /(?:^|,)[ \t]*return[ \t]*=[ \t]*"?([a-z]+)"?[ \t]*(?:;|,|$)/i.exec(String(prefer)) ?? []
  return preference?.toLowerCase() === 'minimal'
}
