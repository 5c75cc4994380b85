import type { FastifyRequest } from 'fastify'

// here, where the types of the package reach it: a host's own routes have rules too
declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may send requests to this route, with access control on. */
    access?: AccessRule
  }
}

/** Who sends a request, and what the token of the request allows. */
export interface Caller {
  username: string
  scopes: readonly string[]
  /** The id of the login that a token of ours belongs to. */
  login?: string | undefined
}

/** Not by name: a host may have decorated its requests with any. */
export const CALLER = Symbol('caller')

/** Who sends a request, once the API has let it in; undefined without access control, and on routes that ask for nobody. */
export function callerOf (request: FastifyRequest): Caller | undefined {
  return request.server.hasRequestDecorator(CALLER) ? request.getDecorator<Caller | null>(CALLER) ?? undefined : undefined
}

/** What a route asks of its callers with access control on. */
export interface AccessRule {
  /** The scope that the caller needs; without one, any token is enough. */
  scope?: string
  /** The path parameter that holds a username: that user needs no scope. */
  owner?: string
  /**
   * Whether the caller is looked up: a user who was disabled or deleted, who lost the scope, or who has a new password since the token was signed is refused.
   * Only for tokens of ours; a host has its own users.
   */
  isCurrent?: boolean
}

/** The configuration of a route that needs this scope. */
export function needs (scope: string, rule: Omit<AccessRule, 'scope'> = {}): { access: AccessRule } {
  return { access: { scope, ...rule } }
}

/** The first of these scopes that the caller does not hold. */
export function missingScope ({ scopes }: Caller, needed: readonly string[]): string | undefined {
  return needed.find((scope) => !scopes.includes(scope))
}
