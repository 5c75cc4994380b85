import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { baseOf, documentUnder } from '../lib/http/base-path.js'
import { hoistComponents } from '../lib/http/openapi-components.js'
import { SECURITY_SCHEME, type securityScheme } from '../lib/access/security-scheme.js'
import { version } from '../lib/http/version.js'
import type { Resource } from '../schemas/resource.js'

const description = 'Student course records and user profiles over MongoDB.'

/** What the transformation gets when the options ask for OpenAPI rather than Swagger 2. */
type OpenApiDocument = Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>

interface OpenApiOptions {
  /** How callers show who they are, with access control on. */
  securityScheme?: ReturnType<typeof securityScheme>
  resources: readonly Resource[]
}

/** The OpenAPI 3.1 document of this scope's routes at `/openapi.json`, and Swagger UI for it at `/docs`. */
async function openapi (app: FastifyInstance, { securityScheme, resources }: OpenApiOptions) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Student Course API', version, description, license: { name: 'MIT', identifier: 'MIT' } },
      tags: [
        ...resources.map(({ plural, description }) => ({ name: plural, description })),
        { name: 'users', description: 'User profiles.' },
        ...(securityScheme?.type === 'oauth2' ? [{ name: 'tokens', description: 'Logins.' }] : [])
      ],
      ...(securityScheme && { components: { securitySchemes: { [SECURITY_SCHEME]: securityScheme } } })
    },
    transformObject: (document) => hoistComponents((document as OpenApiDocument).openapiObject)
  })
  const [docs, file] = ['/docs', '/openapi.json'].map((path) => `${app.prefix.replace(/\/$/, '')}${path}`) as [string, string] // one for each
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: app.prefix, // without it the page of a prefixed plugin looks for its files at the host's root
    // by its path with the slash the page finds its files wherever it is; without it, by the paths that the app knows
    uiHooks: {
      onRequest: async (request, reply) => {
        if (baseOf(request.url, docs) !== '') return reply.redirect('docs/')
      }
    },
    transformSpecification: (document, request) => documentUnder(baseOf(request.url, `${docs}/json`), document),
    transformSpecificationClone: false,
    // no validator: it would send the document to swagger.io
    uiConfig: { validatorUrl: null, tryItOutEnabled: true, displayRequestDuration: true },
    theme: { title: 'Student Course API' }
  })
  app.get('/openapi.json', { schema: { hide: true }, exposeHeadRoute: true }, async (request) => documentUnder(baseOf(request.url, file), app.swagger()))
}

export default fp(openapi, { name: 'student-course-api-openapi' })
