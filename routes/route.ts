import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ignoresTrailingSlash } from '../lib/http/trailing-slash.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its answers have many records, which is worth compressing. */
    isLarge?: boolean
  }
}

/** A route as a schema file gives it. */
interface Operation<Config, Schema> {
  config: Config
  schema: Schema
}

/** The options of a route, with its operationId, which has to be unique in a host's OpenAPI document. */
export function routeOptions (operationIdPrefix: string) {
  return <C, S extends object>(operationId: string, { config, schema }: Operation<C, S>, hide = false) =>
    ({ exposeHeadRoute: true, config: { query: false as const, ...config }, schema: { ...schema, hide, operationId: operationIdPrefix + operationId } })
}

/** The forms of the path `/` of a scope, each a route of its own, with and without the slash; OpenAPI shows the one with it. */
export function rootPaths (app: FastifyInstance) {
  const paths = [{ prefixTrailingSlash: 'slash', hide: false }, { prefixTrailingSlash: 'no-slash', hide: true }] as const
  return ignoresTrailingSlash(app) ? paths.slice(0, 1) : paths
}

/** The path that was asked for, as it came. */
export function pathOf ({ url }: FastifyRequest): string {
  const [path = ''] = url.split(/[?#]/, 1)
  return path
}

/**
 * The path of a new record: below the path that was asked for, as it came, since a prefix may have parameters or letters
 * that a header can't hold.
 */
export function locationOf ({ url }: FastifyRequest, id: string): string {
  const [path = ''] = url.split(/\/?(?:[?#]|$)/, 1)
  return `${path}/${encodeURIComponent(id)}`
}
