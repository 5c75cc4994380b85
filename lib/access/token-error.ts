import type { OAuthError } from '../../schemas/token.js'

/** A token request that gets no token: RFC 6749 section 5.2, RFC 7009 section 2.2.1. */
export class TokenError extends Error {
  readonly code: OAuthError['error']

  constructor (code: OAuthError['error'], description: string) {
    super(description)
    this.name = 'TokenError'
    this.code = code
  }
}
