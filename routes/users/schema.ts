import { needs } from '../../lib/access/caller.js'
import { compileNamedGrammar } from '../../lib/query/grammar.js'
import { LIST_LIMIT } from '../../schemas/resource.js'
import { answer, MALFORMED_QUERY, noContent, problemAnswers, UNKNOWN_PARAMETER } from '../../schemas/responses.js'
import { ChangePassword, createUserWith, johnDoe, johnDoeWithScopes, updateUserWith, User, UserCollection, Username, UserParams, USER_KEYS } from '../../schemas/user.js'
import { link } from '../page.js'

const tags = ['users']
const location = { Location: { type: 'string', description: 'The path of the new user.' } }

const ofBody = { 422: { detail: 'The body is not valid.', errors: [{ pointer: '/password', detail: 'must NOT have fewer than 8 characters' }] } }
const ofPath = { 422: { detail: 'The path is not valid.', errors: [{ pointer: '/username', detail: `must match pattern "${Username.pattern}"` }] } }
const missing = { 404: { detail: `User ${johnDoe.username} not found` } }
const taken = { 409: { detail: 'A record with this username already exists.' } }
const one = `/users/${johnDoe.username}`

/** Each route: who may use it, and its schema, as validation, serialization and OpenAPI use it. */
export const showUser = {
  config: needs('users:read', { owner: 'username' }),
  schema: {
    tags,
    summary: 'Show User',
    description: 'Answers the profile of the user with this name. With access control on, users need no scope for their own profile, and profiles have `scopes`.',
    params: UserParams,
    response: {
      200: answer('The profile.', User, johnDoe),
      ...problemAnswers(one, { ...missing, ...ofPath, 400: MALFORMED_QUERY }, 400, 404, 422, 500, 503)
    }
  }
}

const grammar = compileNamedGrammar(USER_KEYS, ['scopes'])

/** @param hasPages whether the store answers pages */
export const listUsers = (hasPages: boolean) => ({
  config: { ...needs('users:read'), isLarge: true, query: hasPages && grammar },
  schema: {
    tags,
    summary: 'List Users',
    description: hasPages ? 'Answers a page of the users: all of them, or those that meet the filters, in the order of `sort`. Where there is more, `next` and the header Link lead on.' : `Answers the users by their names, without pages: at most ${LIST_LIMIT} of them.`,
    ...hasPages && { querystring: grammar.schema },
    response: {
      200: answer('The users.', UserCollection, { users: [johnDoeWithScopes] }, hasPages ? link : {}),
      ...problemAnswers('/users/', { 400: MALFORMED_QUERY, 422: UNKNOWN_PARAMETER }, 400, 422, 500, 503)
    }
  }
})

export const showMe = {
  config: { access: {} },
  schema: {
    tags,
    summary: 'Show Me',
    description: 'Answers the profile of the user whose token it is.',
    response: {
      200: answer('The profile.', User, johnDoeWithScopes),
      ...problemAnswers('/users/me', { ...missing, 400: MALFORMED_QUERY, 422: UNKNOWN_PARAMETER }, 400, 404, 422, 500, 503)
    }
  }
}

export const createUser = (scopes: readonly string[]) => ({
  // else a user who is disabled could let themselves in again
  config: needs('users:write', { isCurrent: true }),
  schema: {
    tags,
    summary: 'Create User',
    description: 'Stores a new user, with no scope that the caller does not hold.',
    body: createUserWith(scopes),
    response: {
      201: answer('The profile as stored.', User, johnDoeWithScopes, location),
      ...problemAnswers('/users/', { ...ofBody, ...taken }, 400, 409, 413, 415, 422, 500, 503, 507)
    }
  }
})

export const updateUser = (scopes: readonly string[]) => ({
  config: needs('users:write', { isCurrent: true }),
  schema: {
    tags,
    summary: 'Update User',
    description: 'Changes the given fields and leaves the others; null counts as not given. ' +
      'The caller has to hold every scope that the user holds, and is to hold. A new password ends the user\'s logins.',
    params: UserParams,
    body: updateUserWith(scopes),
    response: {
      200: answer('The profile as it is now.', User, johnDoeWithScopes),
      ...problemAnswers(one, { ...missing, ...ofBody }, 400, 404, 409, 413, 415, 422, 500, 503, 507)
    }
  }
})

export const deleteUser = {
  config: needs('users:write', { isCurrent: true }),
  schema: {
    tags,
    summary: 'Delete User',
    description: 'Removes the user with this name, and ends the user\'s logins. The caller has to hold every scope that the user holds. Success is 204, without a body.',
    params: UserParams,
    response: {
      204: noContent('The user is gone.'),
      ...problemAnswers(one, { ...missing, ...ofPath }, 400, 404, 413, 415, 422, 500, 503, 507)
    }
  }
}

export const changePassword = {
  config: { access: { isCurrent: true }, hasOwnQueue: true },
  schema: {
    tags,
    summary: 'Change Password',
    description: 'Gives the user whose token it is another password, where the current one is right. It ends every other login of the user. ' +
      'A wrong password counts as a failed login. Success is 204, without a body.',
    body: ChangePassword,
    response: {
      204: noContent('The password is the new one.'),
      ...problemAnswers('/users/me/password', { 422: { detail: 'The body is not valid.', errors: [{ pointer: '/current_password', detail: 'is wrong' }] } }, 400, 413, 415, 422, 429, 500, 503, 507)
    }
  }
}
