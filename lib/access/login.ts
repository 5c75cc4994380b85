import type { StoredUser } from '../../schemas/user.js'
import { checkPassword, hashPassword, newPassword } from './passwords.js'
import { isDisabled, isUsername, type UserStore } from '../users/user-store.js'

/**
 * The user with this name and password, or undefined. Which of name, password and state was wrong shows neither in the
 * answer nor in the time. A hash that would be another today is replaced.
 */
export async function login (users: UserStore, username: string, password: string): Promise<StoredUser | undefined> {
  const verified = await verify(users, username, password)
  if (verified?.isOutdated) {
    // unless another password was set meanwhile
    await users.update(username, { hashed_password: await hashPassword(password) }, { hashed_password: verified.storedHash })
  }
  return verified?.user
}

/** Sets another password where the current one is right, also in the moment of the change; answers what was stored, or undefined. */
export async function changePassword (users: UserStore, username: string, current: string, password: string) {
  const verified = await verify(users, username, current)
  if (!verified) return undefined
  const changes = await newPassword(password)
  return await users.update(username, changes, { hashed_password: verified.storedHash }) ? changes : undefined
}

async function verify (users: UserStore, username: string, password: string) {
  const user = isUsername(username) ? await users.get(username) : undefined
  const { isRight, isOutdated } = await checkPassword(password, user?.hashed_password)
  if (!isRight || !user || isDisabled(user)) return undefined
  return { user, isOutdated, storedHash: String(user.hashed_password) } // verified, so there is one
}
