import type { StoredUser } from '../../schemas/user.js'
import { checkPassword, hashPassword } from './passwords.js'
import { isDisabled, isUsername, type UserStore } from '../users/user-store.js'

/**
 * The user with this name and password, or undefined. Which of name, password and state was wrong shows neither in the
 * answer nor in the time. A hash that would be another today is replaced.
 */
export async function login (users: UserStore, username: string, password: string): Promise<StoredUser | undefined> {
  const user = isUsername(username) ? await users.get(username) : undefined
  const { isRight, isOutdated } = await checkPassword(password, user?.hashed_password)
  if (!isRight || !user || isDisabled(user)) return undefined
  const storedHash = String(user.hashed_password) // verified, so there is one
  if (isOutdated) {
    // unless another password was set meanwhile
    await users.update(username, { hashed_password: await hashPassword(password) }, { hashed_password: storedHash })
  }
  return user
}
