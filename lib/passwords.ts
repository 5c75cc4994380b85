import { hash } from '@node-rs/argon2'

/** The least and the most characters of a password; the first after NIST SP 800-63B section 5.1.1.1. */
export const PASSWORD_LENGTH = { minimum: 8, maximum: 256 } as const

/** OWASP's Password Storage Cheat Sheet for argon2id (the library's default): 19 MiB of memory, 2 iterations, 1 degree of parallelism. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The argon2id hash (RFC 9106) of a password in PHC string format, with its parameters and a salt of its own. */
export function hashPassword (password: string): Promise<string> {
  return hash(password, PARAMETERS)
}
