import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { baseOf, documentUnder } from '../lib/http/base-path.js'
import { hoistComponents } from '../lib/http/openapi-components.js'
import { shareErrors } from '../lib/http/shared-responses.js'
import { SECURITY_SCHEME, type securityScheme } from '../lib/access/security-scheme.js'
import { version } from '../lib/http/version.js'
import type { DocsOptions } from '../lib/options/docs-options.js'
import type { Resource } from '../schemas/resource.js'
import { docsPage } from './docs-page.js'

const description = 'Student course records and user profiles over MongoDB. Errors are problem details (RFC 9457): each answer of 400 and above is one.'

/** What the transformation gets when the options ask for OpenAPI rather than Swagger 2. */
type OpenApiDocument = Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>

interface OpenApiOptions extends DocsOptions {
  /** How callers show who they are, with access control on. */
  securityScheme?: ReturnType<typeof securityScheme>
  resources: readonly Resource[]
}

/** The OpenAPI 3.1 document of this scope's routes at `/openapi.json`, and Swagger UI for it at `/docs`. */
async function openapi (app: FastifyInstance, { securityScheme, resources, ui = true, theme, inHost = true }: OpenApiOptions) {
  const info = { title: 'Student Course API', version, description, license: { name: 'MIT', identifier: 'MIT' } }
  if (!inHost) app.addHook('onRoute', (route) => { route.config = { ...route.config, swaggerTransform: onlyIn(info) } })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      tags: [
        ...resources.map(({ plural, description }) => ({ name: plural, description })),
        { name: 'users', description: 'User profiles.' },
        ...(securityScheme?.type === 'oauth2' ? [{ name: 'tokens', description: 'Logins.' }] : [])
      ],
      ...(securityScheme && { components: { securitySchemes: { [SECURITY_SCHEME]: securityScheme } } })
    },
    transformObject: (document) => shareErrors(hoistComponents((document as OpenApiDocument).openapiObject))
  })
  const file = `${app.prefix.replace(/\/$/, '')}/openapi.json`
  app.get('/openapi.json', { schema: { hide: true }, exposeHeadRoute: true }, async (request) => documentUnder(baseOf(request.url, file), app.swagger()))
  if (ui) await app.register(docsPage, { theme })
}

/** For `@fastify/swagger`: routes that no document has but the one with this info, and that no transformation of a host's sees. */
function onlyIn (info: object): SwaggerTransform {
  return ({ schema, url, ...document }) => {
    const isOurs = 'openapiObject' in document && document.openapiObject.info === info
    return { schema: isOurs ? schema : { ...schema, hide: true }, url }
  }
}

export default fp(openapi, { name: 'student-course-api-openapi' })
