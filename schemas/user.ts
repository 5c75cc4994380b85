import { Type, type Static } from '@sinclair/typebox'
import { email, nullable, text } from './common.js'
import { LIST_LIMIT, page, type Resource } from './resource.js'
import { student } from './student.js'

/** The `type` of a stored user profile, in MongoDB as in Couchbase. */
export const USERPROFILE_DOC_TYPE = 'userprofile'

/** What a token may be allowed to do, where these are the resources. */
export function scopesFor (resources: readonly Resource[]): string[] {
  return [...new Set(resources.flatMap(({ scopes: { read, write } }) => [read, write])), 'users:read', 'users:write']
}

/** What a token may be allowed to do, where students are the one resource. */
export const SCOPES: readonly string[] = scopesFor([student])

/**
 * The name of a user. Lower-case ASCII alone, so that no two names look alike by case or by alphabet, no `::`,
 * which joins the parts of a document id, and not `me`, whose path is that of whoever asks.
 */
export const Username = Type.String({
  pattern: '^(?!me$)[a-z0-9][a-z0-9._@+-]{0,63}$',
  description: 'The name of the user: 1 to 64 of a to z, 0 to 9 and . _ @ + -, beginning with a letter or a digit; not `me`.',
  examples: ['johndoe']
})

const profile = {
  username: Type.String({ description: 'The name of the user.' }),
  email: Type.Optional(nullable(Type.String({ description: 'The email address; its form is not checked on read.' }))),
  full_name: Type.Optional(nullable(Type.String({ description: 'The full name.' }))),
  disabled: Type.Optional(nullable(Type.Boolean({ description: 'Whether the user is disabled.' })))
}

/** What is shown of a user: absent fields are null. */
export const User = Type.Object({
  ...profile,
  scopes: Type.Optional(Type.Array(Type.String(), { description: 'With access control: what the tokens of the user may do.' }))
}, {
  title: 'User',
  description: 'A user profile.'
})

/** Users as a list answers them. */
export const UserCollection = Type.Object({ users: Type.Array(User, { maxItems: LIST_LIMIT }), next: page.next, total: page.total }, {
  title: 'UserCollection',
  description: `At most ${LIST_LIMIT} users.`
})

/** What lists are filtered and sorted by. */
export const USER_KEYS = { username: profile.username, email: profile.email, full_name: profile.full_name, disabled: profile.disabled }

/** What lists show of a user. */
export const USER_FIELDS = [...Object.keys(USER_KEYS), 'scopes']

/** What is stored of a user, under the id `userprofile::<username>`. It never leaves the process. */
export const StoredUser = Type.Object({
  ...profile,
  type: Type.Optional(Type.String()),
  hashed_password: Type.Optional(Type.String({ description: 'An argon2id hash in PHC string format.' })),
  password_changed_at: Type.Optional(Type.Number({ description: 'In seconds since 1970 (NumericDate, RFC 7519); refresh tokens of another password are void.' })),
  scopes: Type.Optional(Type.Array(Type.String()))
})

/** The least and the most characters of a password; the first after NIST SP 800-63B section 5.1.1.1. */
export const PASSWORD_LENGTH = { minimum: 8, maximum: 256 } as const

const password = Type.String({
  minLength: PASSWORD_LENGTH.minimum,
  maxLength: PASSWORD_LENGTH.maximum,
  'x-well-formed': true,
  description: 'The password; only its hash is stored.'
})

/** What a body may give of a user, with these scopes to choose from. */
const givenFor = (scopes: readonly string[]) => ({
  password,
  email: Type.Optional(nullable(email)),
  full_name: Type.Optional(nullable(text(200, { description: 'The full name.' }))),
  disabled: Type.Optional(nullable(Type.Boolean({ description: 'Whether the user is disabled.' }))),
  scopes: Type.Array(Type.Unsafe<string>({ type: 'string', enum: [...scopes] }), {
    maxItems: scopes.length,
    uniqueItems: true,
    description: 'What the tokens of the user may do; no more than the token of this request may itself.'
  })
})

const ignored = 'Unknown fields are ignored and never stored.'

/** The body that creates a user with some of these scopes. */
export function createUserWith (scopes: readonly string[]) {
  const given = givenFor(scopes)
  return Type.Object({ username: Username, ...given, scopes: Type.Optional(given.scopes) }, {
    title: 'CreateUser',
    description: `A user to create; without scopes the user's tokens are good for their own profile alone. ${ignored}`,
    examples: [{ username: 'johndoe', password: 'correct horse battery staple', email: 'johndoe@example.com', full_name: 'John Doe', scopes: scopes.slice(0, 1) }]
  })
}

/** The body that changes a user, who may get some of these scopes. */
export function updateUserWith (scopes: readonly string[]) {
  const given = givenFor(scopes)
  return Type.Object({
    ...given,
    password: Type.Optional(nullable(given.password)),
    scopes: Type.Optional(nullable(given.scopes))
  }, {
    title: 'UpdateUser',
    description: `The fields of a user to change; a field that is missing or null stays as it is. ${ignored}`,
    // what a page fills in locks nobody out
    examples: [{ full_name: 'John Doe' }]
  })
}

export const CreateUser = createUserWith(SCOPES)

/** The body that gives whoever sends it another password. */
export const ChangePassword = Type.Object({
  current_password: Type.String({ maxLength: PASSWORD_LENGTH.maximum, description: 'The password until now.' }),
  new_password: password
}, {
  title: 'ChangePassword',
  description: `Another password for one's own user. ${ignored}`,
  examples: [{ current_password: 'correct horse battery staple', new_password: 'another horse battery staple' }]
})

export const UserParams = Type.Object({ username: Username })

/** What the answers show as an example. */
export const johnDoe: User = { username: 'johndoe', email: 'johndoe@example.com', full_name: 'John Doe', disabled: null }

/** The same where there is access control. */
export const johnDoeWithScopes: User = { ...johnDoe, disabled: false, scopes: ['students:read'] }

export type User = Static<typeof User>
export type StoredUser = Static<typeof StoredUser>
export type CreateUser = Static<typeof CreateUser>
export type UpdateUser = Static<ReturnType<typeof updateUserWith>>
