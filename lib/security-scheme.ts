import type { Scope } from '../schemas/user.js'
import type { AuthOptions } from './auth-options.js'
import type { AccessRule } from './caller.js'

/** The name of the one security scheme in OpenAPI. */
export const SECURITY_SCHEME = 'access'

const SCOPE_TEXTS: Record<Scope, string> = {
  'students:read': 'Read student records.',
  'students:write': 'Create, change and delete student records.',
  'users:read': 'Read the profiles of others.',
  'users:write': 'Create and change users.'
}

/** The security scheme of the OpenAPI document: the login of this API, or whatever tokens the host takes. */
export function securityScheme (auth: AuthOptions, prefix: string) {
  if (!auth.keys) return { type: 'http', scheme: 'bearer' } as const
  const tokenUrl = `${prefix}/token`
  return { type: 'oauth2', flows: { password: { tokenUrl, refreshUrl: tokenUrl, scopes: SCOPE_TEXTS } } } as const
}

/** What a route asks of its callers, as OpenAPI says it: one of the entries has to be met. */
export function securityOf ({ scope, owner }: AccessRule): Record<string, string[]>[] {
  const byScope = { [SECURITY_SCHEME]: scope ? [scope] : [] }
  return owner ? [byScope, { [SECURITY_SCHEME]: [] }] : [byScope]
}
