import type { FastifyReply } from 'fastify'

/** Aborted once the client has left, or has its answer. */
export function leaving ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => controller.abort())
  return controller.signal
}
