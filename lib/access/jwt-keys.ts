import { readFileSync } from 'node:fs'
import { KEY_BYTES } from './auth-options.js'

/** Where the keys stand, as the environment says it. */
interface KeySettings {
  JWT_SECRET?: string
  JWT_SECRET_FILE?: string
}

/** The keys of the configuration, the signing one first, and what is wrong with them; no fault shows any of a key. */
export function readKeys ({ JWT_SECRET, JWT_SECRET_FILE }: KeySettings): { keys: string[], faults: string[] } {
  if (JWT_SECRET && JWT_SECRET_FILE) return { keys: [], faults: ['set only one of JWT_SECRET and JWT_SECRET_FILE'] }
  const name = JWT_SECRET_FILE ? 'JWT_SECRET_FILE' : 'JWT_SECRET'
  try {
    const text = JWT_SECRET_FILE ? readFileSync(JWT_SECRET_FILE, 'utf8') : JWT_SECRET ?? ''
    const keys = text.split(/\s+/).filter(Boolean)
    const isGood = keys.length > 0 && keys.every((key) => Buffer.byteLength(key) >= KEY_BYTES)
    return { keys, faults: isGood ? [] : [`${name} must hold keys of at least ${KEY_BYTES} bytes each, with AUTH=on`] }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // from reading the file
    return { keys: [], faults: [`${name} can't be read: ${code}`] }
  }
}
