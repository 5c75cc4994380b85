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
  return hash(normalized(password), PARAMETERS)
}

export interface PasswordCheck {
  isRight: boolean
  /** Whether a hash of today would be another: of a password that is not normalized, or with less memory or fewer iterations. */
  isOutdated: boolean
}

/**
 * Whether this is the password of a stored hash, also of one that was made before passwords were normalized. Without a hash, and
 * with one that is not argon2id or not well-formed, the answer is no and takes as long as with one. Another `check` of a hash is for tests.
 */
export async function checkPassword (password: string, storedHash: unknown, check = verify): Promise<PasswordCheck> {
  const isNormalized = normalized(password) === password
  const isOfToday = await verifies(normalized(password), storedHash, check)
  // always the second too, so that the time tells nothing of the stored hash
  const isAsTyped = !isNormalized && await verifies(password, storedHash, check)
  return { isRight: isOfToday || isAsTyped, isOutdated: isAsTyped || isWeak(storedHash) }
}

/** NIST SP 800-63B section 5.1.1.2: so that a password is the same from every keyboard. */
function normalized (password: string): string {
  return password.normalize('NFKC')
}

async function verifies (password: string, storedHash: unknown, check: typeof verify): Promise<boolean> {
  const isOurs = typeof storedHash === 'string' && ARGON2ID.test(storedHash)
  try {
    return await check(isOurs ? storedHash : NOBODYS_HASH, password) && isOurs
  } catch {
    await check(NOBODYS_HASH, password)
    return false
  }
}

function isWeak (storedHash: unknown): boolean {
  const [, memoryCost, timeCost] = ARGON2ID.exec(String(storedHash)) ?? []
  return Number(memoryCost) < PARAMETERS.memoryCost || Number(timeCost) < PARAMETERS.timeCost
}
