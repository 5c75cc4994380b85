import { hash } from 'node:crypto'
import { MalformedKeyError } from '../http/errors.js'

/** The longest key, in characters. */
export const MAX_KEY = 255

/** A string of structured fields (RFC 9651 section 3.3.3), here without spaces. */
const QUOTED = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

const VISIBLE = /^[\x21-\x7e]+$/

/** The key that the header Idempotency-Key holds, quoted or bare. Throws MalformedKeyError. */
export function parseKey (field: string): string {
  const text = field.trim()
  const [, quoted] = QUOTED.exec(text) ?? []
  const key = quoted?.replace(/\\(.)/g, '$1') ?? text
  const isKey = key.length <= MAX_KEY && VISIBLE.test(key) && (quoted !== undefined || !text.startsWith('"'))
  if (!isKey) throw new MalformedKeyError()
  return key
}

/** A text that stands for all of these: a key is one for its caller, method and path alone. */
export function digestOf (...parts: (string | undefined)[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
