import type { IncomingHttpHeaders } from 'node:http'
import Negotiator from 'negotiator'
import { NotAcceptableError } from './errors.js'

/** The media types as a sentence has them. */
export function oneOf (types: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(types)
}

/** Which of these media types the client prefers (RFC 9110 section 12.5.1); the first one where it does not mind. Throws NotAcceptableError. */
export function negotiate<T extends string> (headers: IncomingHttpHeaders, types: readonly [T, ...T[]]): T {
  const [preferred] = new Negotiator({ headers }).mediaTypes([...types])
  if (preferred === undefined) throw new NotAcceptableError(oneOf(types))
  return preferred as T // one of them
}
