import { hash } from 'node:crypto'
import { MalformedKeyError } from '../http/errors.js'

/** 1 to 255 visible characters, bare or as a string of structured fields (RFC 9651 section 3.3.3), which here has no spaces. */
export const KEY = /^(?:[!#-~][!-~]{0,254}|"((?:[!#-[\]-~]|\\["\\]){1,255})")$/

/** The key that the header Idempotency-Key holds, quoted or bare. Throws MalformedKeyError. */
export function parseKey (field: string): string {
  const text = field.trim()
  const match = KEY.exec(text)
  if (!match) throw new MalformedKeyError()
  return match[1]?.replace(/\\(.)/g, '$1') ?? text
}

/** A text that stands for all of these: a key is one for its caller, method and path alone. */
export function digestOf (...parts: (string | undefined)[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
