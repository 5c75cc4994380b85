import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { baseOf, documentUnder } from '../lib/http/base-path.js'
import type { DocsTheme } from '../lib/options/docs-options.js'
import { docsScript } from '../lib/pages/docs-script.js'
import { docsStyle } from '../lib/pages/docs-style.js'
import { icon } from '../lib/pages/icon.js'

/** Everything comes from here and nothing is inline; Swagger UI's style has pictures as data. */
const CSP = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'self'"
}

/** For phones; the page of `@fastify/swagger-ui` has no place for it. */
const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'

const ICON = { filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: icon }

export interface DocsPageOptions {
  /** What a host adds to the looks, or has in their place. */
  theme?: DocsTheme | undefined
}

/** Swagger UI at `/docs`, for the document of this scope. */
export async function docsPage (app: FastifyInstance, { theme = {} }: DocsPageOptions) {
  const docs = `${app.prefix.replace(/\/$/, '')}/docs`
  app.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' && payload.includes('<div id="swagger-ui">') ? payload.replace('<title>', `${VIEWPORT}<title>`) : payload)
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
    staticCSP: CSP,
    uiConfig: {
      layout: 'BaseLayout', // without the bar that asks for another document
      validatorUrl: null, // it would send the document to swagger.io
      tryItOutEnabled: true,
      displayRequestDuration: true,
      deepLinking: true,
      filter: true,
      persistAuthorization: true
    },
    theme: {
      title: theme.title ?? 'Student Course API',
      css: [{ filename: 'docs.css', content: docsStyle }, ...theme.css ?? []],
      js: [{ filename: 'docs.js', content: docsScript }, ...theme.js ?? []],
      favicon: [...theme.favicon ?? [ICON]]
    }
  })
}
