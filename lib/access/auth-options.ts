import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from './caller.js'

/** The least bytes of a key: as many as the hash has (RFC 7518 section 3.2). */
export const KEY_BYTES = 32

/** Users log in here, at `POST /token`. */
export interface TokenOptions {
  /** HMAC keys of at least 32 bytes each: the first signs access tokens, all verify them. */
  keys: readonly string[]
  /** The claim `iss` of access tokens, default `student-course-api`. */
  issuer?: string | undefined
  /** The claim `aud` of access tokens, default `student-course-api`. */
  audience?: string | undefined
  authenticate?: undefined
}

/** Whoever registers the plugin knows who sends a request. */
export interface HostAuthentication {
  keys?: undefined
  /**
   * The caller of a request, undefined where nobody is named. It may throw an error with a `statusCode`, as
   * `request.jwtVerify()` of `@fastify/jwt` does, or send the answer itself.
   */
  authenticate (request: FastifyRequest, reply: FastifyReply): Caller | undefined | Promise<Caller | undefined>
}

export type AuthOptions = TokenOptions | HostAuthentication
