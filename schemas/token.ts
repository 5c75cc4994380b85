import { Type, type Static } from '@sinclair/typebox'

const GRANT_TYPES = ['password', 'refresh_token'] as const

/** The default is what a form of the documentation page is filled with: without a value, a parameter counts as not sent. */
const parameter = (description: string) => Type.Optional(Type.String({ description, default: '' }))

/** The form of `POST /token` where there are these scopes, RFC 6749 sections 4.3.2 and 6. */
export const tokenRequestFor = (scopes: readonly string[]) => Type.Object({
  grant_type: Type.Unsafe<typeof GRANT_TYPES[number]>({
    type: 'string',
    enum: [...GRANT_TYPES],
    default: 'password',
    description: 'What the token is asked for with.'
  }),
  username: parameter('With `password`: the name of the user.'),
  password: Type.Optional(Type.String({ format: 'password', description: 'With `password`: the password of the user.' })),
  refresh_token: parameter('With `refresh_token`: the newest refresh token; it can be used once.'),
  scope: parameter(`The scopes to have, separated by spaces: some of ${scopes.join(', ')}. Without it, all that the user holds.`)
}, {
  title: 'TokenRequest',
  description: 'A token request. Client credentials are not needed, and are ignored.'
})

/** The answer to a token request, RFC 6749 section 5.1. */
export const Token = Type.Object({
  access_token: Type.String({ description: 'A JWT, for the `Authorization: Bearer` header.' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'The lifetime of the access token, in seconds.' }),
  refresh_token: Type.String({ description: 'Can be used once; the answer holds the next one.' }),
  scope: Type.String({ description: 'What the access token allows: scopes separated by spaces.' })
}, {
  title: 'Token',
  description: 'An access token and the refresh token for the next.'
})

/** The form of `POST /revoke`, RFC 7009 section 2.1. */
export const RevocationRequest = Type.Object({
  token: Type.String({ minLength: 1, description: 'The refresh token.' }),
  token_type_hint: parameter('What kind of token it is; not needed.')
}, {
  title: 'RevocationRequest',
  description: 'The refresh token to revoke, and with it all that go back to the same login.'
})

/** The codes of RFC 6749 section 5.2 and RFC 7009 section 2.2.1 that are sent. */
const OAUTH_ERRORS = ['invalid_request', 'invalid_grant', 'invalid_scope', 'unsupported_grant_type', 'unsupported_token_type'] as const

/** An error of the token endpoints, RFC 6749 section 5.2. */
export const OAuthError = Type.Object({
  error: Type.Unsafe<typeof OAUTH_ERRORS[number]>({ type: 'string', enum: [...OAUTH_ERRORS] }),
  error_description: Type.String({ description: 'What is wrong, in English.' })
}, {
  title: 'OAuthError',
  description: 'Why there is no token: an error after RFC 6749 section 5.2.'
})

export type TokenRequest = Static<ReturnType<typeof tokenRequestFor>>
export type Token = Static<typeof Token>
export type RevocationRequest = Static<typeof RevocationRequest>
export type OAuthError = Static<typeof OAuthError>
