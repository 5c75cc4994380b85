import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { get as getSecurely } from 'node:https'
import { createServer } from 'node:net'
import type { Config } from '../../config.js'
import { HEALTH_TYPE } from '../../lib/http/media-types.js'
import { listenError } from '../../lib/server/listen-error.js'
import { error, type Finding, ok } from './finding.js'

/** How long a server on the port may take to say what it is. */
const ANSWER_MS = 1_000

/** A port in use is right where it is this server's own. */
export async function ofPort ({ HOST, PORT, TLS_CERT_FILE }: Config): Promise<Finding[]> {
  const server = createServer().listen({ host: HOST, port: PORT })
  const fault = await once(server, 'listening').then(() => undefined, (error: NodeJS.ErrnoException) => error)
  server.close()
  if (!fault) return [ok(PORT === 0 ? 'the port is any that is free' : `port ${PORT} of ${HOST} is free`)]
  if (fault.code === 'EADDRINUSE' && await isOurs(reachable(HOST), PORT, TLS_CERT_FILE !== undefined)) return [ok(`port ${PORT} of ${HOST} is that of a server of this API`)]
  return [error(listenError(fault, { host: HOST, port: PORT, variable: 'PORT' }).message)]
}

/** By its probe, and since each of its answers has the id of its request. */
async function isOurs (host: string, port: number, isSecure: boolean): Promise<boolean> {
  const options = { host, port, path: '/livez', signal: AbortSignal.timeout(ANSWER_MS) }
  // whose certificate is for the names of its clients
  const request = isSecure ? getSecurely({ ...options, rejectUnauthorized: false }) : get(options)
  try {
    const [answer] = await once(request, 'response') as [IncomingMessage]
    answer.resume()
    return answer.headers['x-request-id'] !== undefined && String(answer.headers['content-type']).startsWith(HEALTH_TYPE)
  } catch {
    return false
  }
}

/** An address at which one that stands for all is reached. */
function reachable (host: string): string {
  return new Map([['0.0.0.0', '127.0.0.1'], ['::', '::1']]).get(host) ?? host
}
