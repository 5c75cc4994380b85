import { answer, noContent, oauthErrors, problemAnswers } from '../../schemas/responses.js'
import { RevocationRequest, Token, tokenRequestFor } from '../../schemas/token.js'

const consumes = ['application/x-www-form-urlencoded']
const tags = ['tokens']

const exampleToken: Token = {
  access_token: 'eyJhbGciOiJIUzI1NiJ9.e30.ZXhhbXBsZQ',
  token_type: 'Bearer',
  expires_in: 900,
  refresh_token: 'Zm9yIHRoZSBmYW1pbHk.Zm9yIG9uZSB1c2U',
  scope: 'students:read students:write'
}

/** The schema of each route, as validation, serialization and OpenAPI use it. */
export const createToken = (scopes: readonly string[]) => ({
  tags,
  summary: 'Create Token',
  description: 'Gives an access token for a username and a password, or for a refresh token (OAuth2, RFC 6749). ' +
    'A refresh token can be used once; reuse revokes every token of the same login.',
  consumes,
  body: tokenRequestFor(scopes),
  response: {
    200: answer('The tokens.', Token, exampleToken),
    400: oauthErrors('There is no token for this.', 'invalid_grant', 'The username or the password is wrong.'),
    ...problemAnswers('/token', {}, 429, 500, 503, 507)
  }
})

export const revokeToken = {
  tags,
  summary: 'Revoke Token',
  description: 'Revokes a refresh token and every other one of the same login (RFC 7009). ' +
    'An unknown token gets the same answer as a known one. Access tokens cannot be revoked; they expire soon.',
  consumes,
  body: RevocationRequest,
  response: {
    200: noContent('The token is revoked.'),
    400: oauthErrors('Nothing was revoked.', 'unsupported_token_type', 'An access token cannot be revoked; it expires soon.'),
    ...problemAnswers('/revoke', {}, 500, 503, 507)
  }
}
