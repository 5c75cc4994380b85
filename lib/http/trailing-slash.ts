import type { FastifyInstance } from 'fastify'

/** Whether the server takes `/a` and `/a/` for one path: then a route may stand there only once. */
export function ignoresTrailingSlash ({ initialConfig }: Pick<FastifyInstance, 'initialConfig'>): boolean {
  // Fastify 5 knows the option in two places
  return [initialConfig, initialConfig.routerOptions].some((options) => options?.ignoreTrailingSlash === true)
}
