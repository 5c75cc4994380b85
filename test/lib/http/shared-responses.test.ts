import t from 'tap'
import { shareErrors } from '../../../lib/http/shared-responses.js'

const gone = (instance: string) => ({ description: 'Not there.', content: { 'application/problem+json': { example: { status: 404, instance } } } })
const shown = { description: 'Shown.' }

t.test('errors of several operations stand once, whatever their paths; others, and answers that are no errors, stay where they are', async (t) => {
  const other = { description: 'No page.' }
  const document = {
    paths: {
      '/a': { get: { responses: { 200: shown, 404: gone('/a') } }, put: { responses: { 200: shown, 404: other } } },
      '/b': { get: { summary: 'b', responses: { 404: gone('/b') } }, put: { responses: { 404: other, 409: other } }, delete: { responses: { 404: gone('/b') } } }
    },
    components: { schemas: {} }
  }
  const [ref, second] = ['NotFound', 'NotFound2'].map((name) => ({ $ref: `#/components/responses/${name}` }))
  t.strictSame(shareErrors(document), {
    paths: {
      '/a': { get: { responses: { 200: shown, 404: ref } }, put: { responses: { 200: shown, 404: second } } },
      '/b': { get: { summary: 'b', responses: { 404: ref } }, put: { responses: { 404: second, 409: other } }, delete: { responses: { 404: ref } } }
    },
    components: { schemas: {}, responses: { NotFound: gone('/b'), NotFound2: other } }
  })
})

t.test('a document without paths, and an operation without answers, are left as they are', async (t) => {
  t.strictSame(shareErrors({}), { paths: {}, components: { responses: {} } })
  t.strictSame(shareErrors({ paths: { '/a': { get: { summary: 'a' } } } }).paths, { '/a': { get: { summary: 'a', responses: {} } } })
})
