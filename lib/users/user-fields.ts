import { USERPROFILE_DOC_TYPE, type CreateUser, type StoredUser, type UpdateUser } from '../../schemas/user.js'
import { newPassword } from '../access/passwords.js'
import type { UserChanges } from './user-store.js'

/** What is stored for a valid body, picked by name: whatever else the body holds is left behind. */
export async function toStoredUser (body: CreateUser): Promise<StoredUser> {
  const changes = await toUserChanges(body)
  return { type: USERPROFILE_DOC_TYPE, username: body.username, disabled: false, scopes: [], ...changes }
}

/** The fields of a valid body that are to change: those that are there and not null, and the hash of the password. */
export async function toUserChanges ({ email, full_name: fullName, disabled, scopes, password }: UpdateUser): Promise<UserChanges> {
  return {
    ...(email != null && { email }),
    ...(fullName != null && { full_name: fullName }),
    ...(disabled != null && { disabled }),
    ...(scopes != null && { scopes }),
    ...(password != null && await newPassword(password))
  }
}
