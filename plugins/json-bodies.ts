import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { MalformedBodyError, UnsupportedMediaTypeError } from '../lib/http/errors.js'
import { ROW_TYPES } from '../lib/http/media-types.js'
import { oneOf } from '../lib/http/negotiate.js'
import { QUERY } from '../lib/http/query-method.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media types of the bodies that this route takes, default application/json. */
    mediaTypes?: readonly string[]
    /** Whether the route reads the body while it comes, however long that takes. */
    isStreamed?: boolean
  }
}

/** Methods that ask for no body, though they may have one. Clients send the type of bodies that they would have with any request. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/**
 * Bodies are JSON in UTF-8 (RFC 8259 section 8.1) of a media type that the route names, and nothing else: parsers that a host added do not reach
 * this scope. `__proto__` and `constructor.prototype` are dropped like every other unknown field.
 * Where no body is asked for, none is needed, whatever the header says that it would be.
 */
async function json (app: FastifyInstance, { bodyLimit }: { bodyLimit: number }) {
  const parse = app.getDefaultJsonParser('remove', 'remove')
  // where unknown members are faults, these are too
  const parseWhole = app.getDefaultJsonParser('ignore', 'ignore')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'buffer', bodyLimit }, (request, body: Buffer, done) => {
    if (body.length === 0 && BODILESS.has(request.method)) return done(null)
    if (!isTaken(request) || !isPlainUtf8(request)) return done(unsupported(request))
    // decoding would replace what is no UTF-8 by U+FFFD, and that would be stored
    if (!isUtf8(body)) return done(new MalformedBodyError())
    if (request.headers['idempotency-key'] !== undefined) digests.set(request, hash('sha256', Buffer.concat([Buffer.from(`${mediaTypeOf(request)}\n`), body]), 'base64url'))
    return (request.method === QUERY ? parseWhole : parse)(request, body.toString(), done)
  })
  // these are read as they come, by the route
  app.addContentTypeParser([...ROW_TYPES], (request, payload, done) => {
    if (!isTaken(request) || !isPlainUtf8(request)) return refuseBody(request, payload, done)
    done(null, payload)
  })
  app.addContentTypeParser('*', refuseBody)
  app.addHook('onRequest', async ({ method, headers }) => {
    if (BODILESS.has(method) && isWithoutBody(headers)) delete headers['content-type']
  })
}

/** Of the bodies of requests that may be sent again. */
const digests = new WeakMap<FastifyRequest, string>()

/** A hash of the media type and the body of a request that has an Idempotency-Key. */
export function bodyDigest (request: FastifyRequest): string {
  return String(digests.get(request))
}

/** Whether the route takes bodies of this media type. */
function isTaken (request: FastifyRequest): boolean {
  return typesOf(request).includes(mediaTypeOf(request))
}

function typesOf ({ routeOptions: { config: { mediaTypes = ['application/json'] } } }: FastifyRequest): readonly string[] {
  return mediaTypes
}

/** The media type of the body, without its parameters. */
export function mediaTypeOf ({ headers }: FastifyRequest): string {
  const [type = ''] = String(headers['content-type']).split(';')
  return type.trim().toLowerCase()
}

/** What a body of another media type than those that the route takes is refused by. */
export function unsupported (request: FastifyRequest): Error {
  return new UnsupportedMediaTypeError(oneOf(typesOf(request)))
}

/** RFC 9112 section 6.3: a request without both headers has no body. */
function isWithoutBody (headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

/** Only at the end of a chunked body is it known to be empty. */
function refuseBody (request: FastifyRequest, payload: IncomingMessage, done: (error: Error | null) => void): void {
  if (!BODILESS.has(request.method)) return done(unsupported(request))
  payload.once('end', () => done(null))
  payload.once('error', done)
  payload.once('data', () => {
    payload.removeAllListeners('end')
    done(unsupported(request))
  })
}

/** Whether the headers announce UTF-8 as it is, rather than another charset or something compressed. */
export function isPlainUtf8 ({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset="?([^";\s]*)/i.exec(String(headers['content-type']))?.[1] ?? 'utf-8'
  const encoding = headers['content-encoding'] ?? 'identity'
  return /^utf-?8$/i.test(charset) && encoding === 'identity'
}

export default fp(json, { name: 'student-course-api-json' })
