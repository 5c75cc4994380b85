import t from 'tap'
import { baseOf, documentUnder } from '../../../lib/http/base-path.js'

t.test('the base is what the client asked for before the path that the app knows', async (t) => {
  t.equal(baseOf('/docs', '/docs'), '')
  t.equal(baseOf('/college/docs?x=/docs', '/docs'), '/college')
  t.equal(baseOf('/a/college/docs', '/college/docs'), '/a')
  t.equal(baseOf('/docs/', '/docs'), '')
})

t.test('a document is told with its server and its token URLs, and stays as it was', async (t) => {
  const document = {
    openapi: '3.1.0',
    components: {
      schemas: {},
      securitySchemes: {
        access: { type: 'oauth2', flows: { password: { tokenUrl: '/token', refreshUrl: '/token', scopes: { read: 'Read.' } } } },
        key: { type: 'http', scheme: 'bearer' }
      }
    }
  }
  const before = structuredClone(document)
  t.equal(documentUnder('', document), document)
  t.match(documentUnder('/college', document), {
    servers: [{ url: '/college' }],
    components: {
      schemas: {},
      securitySchemes: {
        access: { flows: { password: { tokenUrl: '/college/token', refreshUrl: '/college/token', scopes: { read: 'Read.' } } } },
        key: { type: 'http', scheme: 'bearer' }
      }
    }
  })
  t.strictSame(document, before)
  t.strictSame(documentUnder('/x', { openapi: '3.1.0' }), { openapi: '3.1.0', servers: [{ url: '/x' }] })
  t.strictSame(documentUnder('/x', { components: {} }), { components: {}, servers: [{ url: '/x' }] })
})
