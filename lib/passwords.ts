import { hash, verify } from '@node-rs/argon2'

/** OWASP's Password Storage Cheat Sheet for argon2id (the library's default): 19 MiB of memory, 2 iterations, 1 degree of parallelism. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of the same cost as a hash of ours, and of no password: a salt of 16 bytes and a tag of 32, all zero. */
const NOBODYS_HASH =
  `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`

const ARGON2ID = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/

/** The fields of a stored user that a new password changes; refresh tokens of the old one are void. */
export async function newPassword (password: string) {
  return { hashed_password: await hashPassword(password), password_changed_at: Date.now() / 1000 }
}

/** The argon2id hash (RFC 9106) of a password in PHC string format, with its parameters and a salt of its own. */
export function hashPassword (password: string): Promise<string> {
  return hash(password, PARAMETERS)
}

/**
 * Whether this is the password of a stored hash. Without a hash, and with one that is not argon2id or not well-formed,
 * the answer is false and takes as long as with one. Another `check` of a hash is for tests.
 */
export async function verifyPassword (password: string, storedHash: unknown, check = verify): Promise<boolean> {
  const isOurs = typeof storedHash === 'string' && ARGON2ID.test(storedHash)
  try {
    return await check(isOurs ? storedHash : NOBODYS_HASH, password) && isOurs
  } catch {
    await check(NOBODYS_HASH, password)
    return false
  }
}

/** Whether a hash was made with less memory or fewer iterations than are right today. */
export function isOutdated (storedHash: string): boolean {
  const [, memoryCost, timeCost] = ARGON2ID.exec(storedHash) ?? []
  return Number(memoryCost) < PARAMETERS.memoryCost || Number(timeCost) < PARAMETERS.timeCost
}
