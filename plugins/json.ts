import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { MalformedBodyError, UnsupportedMediaTypeError } from '../lib/errors.js'

/**
 * Bodies are application/json in UTF-8 (RFC 8259 section 8.1) and nothing else: parsers that a host added do not reach
 * this scope. `__proto__` and `constructor.prototype` are dropped like every other unknown field.
 */
async function json (app: FastifyInstance, { bodyLimit }: { bodyLimit: number }) {
  const parse = app.getDefaultJsonParser('remove', 'remove')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (request, body: Buffer, done) => {
    if (!isPlainUtf8(request)) return done(new UnsupportedMediaTypeError())
    // decoding would replace what is no UTF-8 by U+FFFD, and that would be stored
    if (!isUtf8(body)) return done(new MalformedBodyError())
    return parse(request, body.toString(), done)
  })
}

/** Whether the headers announce UTF-8 as it is, rather than another charset or something compressed. */
export function isPlainUtf8 ({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset="?([^";\s]*)/i.exec(String(headers['content-type']))?.[1] ?? 'utf-8'
  const encoding = headers['content-encoding'] ?? 'identity'
  return /^utf-?8$/i.test(charset) && encoding === 'identity'
}

export default fp(json, { name: 'student-course-api-json' })
