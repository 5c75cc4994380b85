import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { BASE_PATH } from '../lib/server/base-path.js'
import { trustOf } from '../lib/server/trust-proxy.js'

const PREFIX = new RegExp(BASE_PATH)

/** For Fastify's option `rewriteUrl`: a proxy may leave the base path before what it passes on. */
export function withoutBase (basePath: string) {
  return ({ url = '/' }: Pick<IncomingMessage, 'url'>): string => {
    const rest = url.startsWith(basePath) ? url.slice(basePath.length) : undefined
    if (rest === undefined || !/^([/?#]|$)/.test(rest)) return url
    return rest.startsWith('/') ? rest : `/${rest}`
  }
}

export interface BasePathOptions {
  /** Where clients reach the server, as configured. */
  basePath?: string | undefined
  /** The proxies whose `X-Forwarded-Prefix` is taken instead. */
  proxies?: string | undefined
}

/**
 * Makes the URL of each request the one that the client asked for, so that all that is made of it is right for the client: `Location`, `Link`, `instance`, the
 * OpenAPI document.
 */
export function answerUnder (app: FastifyInstance, { basePath = '', proxies }: BasePathOptions): void {
  const isTrusted = proxies === undefined ? () => false : trustOf(proxies)
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw, socket } = request
    const forwarded = raw.headers['x-forwarded-prefix']
    const isGiven = typeof forwarded === 'string' && PREFIX.test(forwarded) && isTrusted(String(socket.remoteAddress))
    const base = isGiven ? forwarded : basePath
    // the message keeps what came: what serves files goes by that
    if (base !== '') Object.defineProperty(request, 'url', { value: `${base}${request.url}` })
    done()
  })
}
