import { createHash, randomUUID } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { ACCESS_TOKEN_LIFE_S } from './auth-options.js'
import type { Caller } from './caller.js'
import { ExpiredTokenError, InvalidTokenError } from '../http/errors.js'

/** More than any token of ours has; a longer one is not even looked at. */
const TOKEN_LENGTH = 4_096

/** The media type of access tokens, so that no other kind of JWT under the same key can pass for one (RFC 9068 section 2.1). */
const TYPE = 'at+jwt'

const ALGORITHM = 'HS256'

export interface AccessTokenOptions {
  /** HMAC keys of at least `KEY_BYTES` bytes: the first signs, all verify. */
  keys: readonly string[]
  /** The claim `iss`. */
  issuer: string
  /** The claim `aud`. */
  audience: string
  /** How long an access token is good for, in seconds. */
  lifeS?: number | undefined
}

/** Who holds an access token of ours, and what it says of itself. */
export interface TokenHolder extends Caller {
  /** When it was signed, in milliseconds since 1970. */
  issuedAtMs: number
}

type Verify = (token: string) => Record<string, unknown>

/** JWT access tokens (RFC 7519, RFC 9068), signed with HMAC SHA-256. */
export class AccessTokens {
  readonly lifeS: number
  #sign: (claims: object) => string
  #verifiers: Map<string, Verify>

  constructor ({ keys, issuer, audience, lifeS = ACCESS_TOKEN_LIFE_S }: AccessTokenOptions) {
    this.lifeS = lifeS
    const [key = ''] = keys // lib/options/check-options.ts has seen to it that there is one
    this.#sign = createSigner({
      key,
      algorithm: ALGORITHM,
      kid: keyId(key),
      header: { alg: ALGORITHM, typ: TYPE },
      iss: issuer,
      aud: audience,
      expiresIn: lifeS * 1000
    })
    this.#verifiers = new Map(keys.map((key) => [keyId(key), createVerifier({
      key,
      algorithms: [ALGORITHM],
      checkTyp: TYPE,
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'scope']
    })]))
  }

  /** The login that the token belongs to is its `sid`, as OpenID Connect calls a session; `iat` has seconds alone, so `ms` goes with it. */
  sign ({ username, scopes, login }: Caller): string {
    const now = Date.now()
    return this.#sign({ sub: username, scope: scopes.join(' '), jti: randomUUID(), sid: login, iat: Math.floor(now / 1000), ms: now % 1000 })
  }

  /** Who holds this token. Throws ExpiredTokenError for one of ours whose time is over, InvalidTokenError for any other that is not good. */
  verify (token: string): TokenHolder {
    if (token.length > TOKEN_LENGTH) throw new InvalidTokenError()
    try {
      const { sub, scope, sid, iat, ms = 0 } = this.#verifierOf(token)(token)
      if (typeof sub === 'string' && typeof scope === 'string') {
        return { username: sub, scopes: scope.split(' ').filter(Boolean), issuedAtMs: Number(iat) * 1000 + Number(ms), ...typeof sid === 'string' && { login: sid } }
      }
    } catch (error) {
      // its signature is ours; what else is wrong with a token is nothing to tell its sender
      if ((error as { code?: string }).code === 'FAST_JWT_EXPIRED') throw new ExpiredTokenError()
    }
    throw new InvalidTokenError()
  }

  /** Whether a token is one of these, and good. */
  isOurs (token: string): boolean {
    try {
      return Boolean(this.verify(token))
    } catch {
      return false
    }
  }

  #verifierOf (token: string): Verify {
    const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    const verify = this.#verifiers.get(header.kid)
    if (!verify) throw new InvalidTokenError()
    return verify
  }
}

/** Tells keys apart without telling anything of them. */
export function keyId (key: string): string {
  return createHash('sha256').update(`kid:${key}`).digest('base64url').slice(0, 16)
}
