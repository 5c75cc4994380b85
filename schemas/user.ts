import { Type, type Static } from '@sinclair/typebox'
import { nullable } from './common.js'

/** The `type` of a stored user profile, in MongoDB as in Couchbase. */
export const USERPROFILE_DOC_TYPE = 'userprofile'

/** What a token may be allowed to do. */
export const SCOPES = ['students:read', 'students:write', 'users:read', 'users:write'] as const

/**
 * The name of a user. Lower-case ASCII alone, so that no two names look alike by case or by alphabet, and no `::`,
 * which joins the parts of a document id.
 */
export const Username = Type.String({
  pattern: '^[a-z0-9][a-z0-9._@+-]{0,63}$',
  description: 'The name of the user: 1 to 64 of a to z, 0 to 9 and . _ @ + -, beginning with a letter or a digit.',
  examples: ['johndoe']
})

const profile = {
  username: Type.String({ description: 'The name of the user.' }),
  email: Type.Optional(nullable(Type.String({ description: 'The email address; its form is not checked on read.' }))),
  full_name: Type.Optional(nullable(Type.String({ description: 'The full name.' }))),
  disabled: Type.Optional(nullable(Type.Boolean({ description: 'Whether the user is locked out.' })))
}

/** What is shown of a user: absent fields are null. */
export const User = Type.Object(profile, {
  title: 'User',
  description: 'A user profile.'
})

/** What is stored of a user, under the id `userprofile::<username>`. It never leaves the process. */
export const StoredUser = Type.Object({
  ...profile,
  type: Type.Optional(Type.String()),
  hashed_password: Type.Optional(Type.String({ description: 'An argon2id hash in PHC string format.' })),
  scopes: Type.Optional(Type.Array(Type.String()))
})

export const UserParams = Type.Object({ username: Username })

/** What the answers show as an example. */
export const johnDoe: User = { username: 'johndoe', email: 'johndoe@example.com', full_name: 'John Doe', disabled: null }

export type User = Static<typeof User>
export type StoredUser = Static<typeof StoredUser>
