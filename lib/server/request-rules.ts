import type { IncomingMessage } from 'node:http'
import { isServedHost } from './served-hosts.js'

/** Why a request is refused before anything else of it is looked at. */
export interface Refusal {
  status: number
  detail: string
}

export interface RequestRules {
  /** Whether only loopback names are served, since no access control keeps others out. */
  isLocal: boolean
  /** Names that are served besides, in lower case. */
  allowedHosts: ReadonlySet<string>
}

/**
 * What the HTTP server itself asks of every request: one Host (RFC 9112 section 3.2; Node's own check answers without a body, and
 * takes two), no transfer coding but chunked (section 6.1), and a name that is served.
 */
export function refusalOf ({ headers, rawHeaders, httpVersionMinor }: IncomingMessage, { isLocal, allowedHosts }: RequestRules): Refusal | undefined {
  const { ':authority': authority, host = authority, 'transfer-encoding': coding } = headers as NodeJS.Dict<string> // HTTP/2 has the first, RFC 9113 section 8.3.1
  if (host === undefined && httpVersionMinor !== 0) return { status: 400, detail: 'A request must have a Host header.' }
  if (isTwice(rawHeaders)) return { status: 400, detail: 'A request must have exactly one Host header.' }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return { status: 501, detail: 'The only transfer coding that this server understands is chunked.' }
  if (host !== undefined && isLocal && !isServedHost(host, allowedHosts)) {
    return { status: 421, detail: 'Without access control, only local names are served here. ALLOWED_HOSTS names further ones.' }
  }
  return undefined
}

/** Whether there are two lines of Host, of which Node keeps the first. */
function isTwice (rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}
