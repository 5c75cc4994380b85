import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from './caller.js'

/** The least bytes of a key: as many as the hash has (RFC 7518 section 3.2). */
export const KEY_BYTES = 32

/** How long an access token is good for, in seconds, unless the options say otherwise. */
export const ACCESS_TOKEN_LIFE_S = 900

/** How long after its login a refresh token is good for, in seconds, unless the options say otherwise: 30 days. */
export const REFRESH_TOKEN_LIFE_S = 2_592_000

/** Users log in here, at `POST /token`. */
export interface TokenOptions {
  /** HMAC keys of at least 32 bytes each: the first signs access tokens, all verify them. */
  keys: readonly string[]
  /** The claim `iss` of access tokens, default `student-course-api`. */
  issuer?: string | undefined
  /** The claim `aud` of access tokens, default `student-course-api`. */
  audience?: string | undefined
  /** How long an access token is good for, in seconds, default 900. */
  accessTokenTtlSeconds?: number | undefined
  /** How long after its login a refresh token is good for, in seconds, default 2592000: 30 days. */
  refreshTokenTtlSeconds?: number | undefined
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
