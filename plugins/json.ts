import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Bodies are application/json and nothing else: parsers that a host added do not reach this scope.
 * `__proto__` and `constructor.prototype` are dropped like every other unknown field.
 */
async function json (app: FastifyInstance, { bodyLimit }: { bodyLimit: number }) {
  const parse = app.getDefaultJsonParser('remove', 'remove')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, parse)
}

export default fp(json, { name: 'student-course-api-json' })
