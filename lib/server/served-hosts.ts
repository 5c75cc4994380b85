import { isLoopback } from './loopback.js'

/**
 * Whether a server without access control that listens on a loopback address may answer for the host of a request: any
 * page in a browser can have a name of its own lead to that address (DNS rebinding), and would then be of the same origin.
 * @param allowed further names, in lower case
 */
export function isServedHost (host: string, allowed: ReadonlySet<string>): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, '')
  const isLocal = isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || name.endsWith('.localhost') // RFC 6761 section 6.3
  return isLocal || allowed.has(name)
}
