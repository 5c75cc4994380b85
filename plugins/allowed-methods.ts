import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { MethodNotAllowedError } from '../lib/http/errors.js'
import { ACCEPT_PATCH } from '../lib/http/media-types.js'
import { ACCEPT_QUERY, QUERY } from '../lib/http/query-method.js'
import { ignoresTrailingSlash } from '../lib/http/trailing-slash.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** To be called after the last route: answers OPTIONS, and every other method that a path lacks with 405. */
    closePaths(): void
  }
}

/** Knows the methods of each path of this scope (RFC 9110 sections 9.3.7 and 15.5.6). */
async function methods (app: FastifyInstance) {
  const paths = new Map<string, Set<string>>()
  const isOnePath = ignoresTrailingSlash(app)

  app.addHook('onRoute', ({ url, method, routePath }) => {
    // a route at the root of its prefix answers with and without a trailing slash, but is told of only once
    for (const path of routePath === '' && !isOnePath ? [url, `${url}/`] : [url]) {
      paths.set(path, new Set([...paths.get(path) ?? [], ...[method].flat()]))
    }
  })

  app.decorate('closePaths', function (this: FastifyInstance) {
    // a copy, since the routes added here are seen by the hook above
    for (const [url, known] of [...paths]) closePath(this, url.slice(this.prefix.length), [...known])
  })
}

function closePath (app: FastifyInstance, url: string, known: string[]): void {
  const allow = [...known, 'OPTIONS'].join(', ')
  const missing = app.supportedMethods.filter((method) => method !== 'OPTIONS' && !known.includes(method))

  app.route({
    url,
    method: 'OPTIONS',
    schema: { hide: true },
    handler: async (_request, reply) => {
      if (known.includes('PATCH')) reply.header('accept-patch', ACCEPT_PATCH)
      if (known.includes(QUERY)) reply.header('accept-query', ACCEPT_QUERY)
      return reply.code(204).header('allow', allow).send()
    }
  })
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('allow', allow)
    throw new MethodNotAllowedError(request.method, allow)
  }
  // before the body is parsed: what it is does not matter any more
  app.route({ url, method: missing, schema: { hide: true }, onRequest: refuse, handler: refuse })
}

export default fp(methods, { name: 'student-course-api-methods' })
