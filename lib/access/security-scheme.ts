import type { Resource } from '../../schemas/resource.js'
import type { AuthOptions } from './auth-options.js'
import type { AccessRule } from './caller.js'

/** The name of the one security scheme in OpenAPI. */
export const SECURITY_SCHEME = 'access'

/** Each scope, and what it allows. */
function scopeTexts (resources: readonly Resource[]): Record<string, string> {
  return {
    ...Object.fromEntries(resources.flatMap(({ name, scopes: { read, write } }) =>
      [[read, `Read ${name} records.`], [write, `Create, change and delete ${name} records.`]])),
    'users:read': 'Read the profiles of others.',
    'users:write': 'Create, change and delete users.'
  }
}

/** The security scheme of the OpenAPI document: the login of this API, or whatever tokens the host takes. */
export function securityScheme (auth: AuthOptions, prefix: string, resources: readonly Resource[]) {
  if (!auth.keys) return { type: 'http', scheme: 'bearer' } as const
  const tokenUrl = `${prefix.replace(/\/$/, '')}/token`
  return { type: 'oauth2', flows: { password: { tokenUrl, refreshUrl: tokenUrl, scopes: scopeTexts(resources) } } } as const
}

/**
 * Gives a host's OpenAPI document the scheme that our routes name, unless it has one of that name: without it the whole document
 * would fail. It answers what `@fastify/swagger` asks the transformation of a route for.
 */
export function withScheme (scheme: ReturnType<typeof securityScheme>) {
  return <T extends RouteOfDocument>({ schema, url, openapiObject: document }: T): Pick<T, 'schema' | 'url'> => {
    // a copy, since it may be the object of the host's options
    if (document) document.components = { ...document.components, securitySchemes: { [SECURITY_SCHEME]: scheme, ...document.components?.securitySchemes } }
    return { schema, url }
  }
}

interface RouteOfDocument {
  schema: unknown
  url: string
  openapiObject?: { components?: { securitySchemes?: object } }
}

/** What a route asks of its callers, as OpenAPI says it: one of the entries has to be met. */
export function securityOf ({ scope, owner }: AccessRule): Record<string, string[]>[] {
  const byScope = { [SECURITY_SCHEME]: scope ? [scope] : [] }
  return owner ? [byScope, { [SECURITY_SCHEME]: [] }] : [byScope]
}
