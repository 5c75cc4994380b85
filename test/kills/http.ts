import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'

/** Longer than any answer takes, also that of an import which waits for its database. */
const LIMIT_MS = 120_000

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** A value of JSON; undefined without a body. */
  body: unknown
}

export interface Asking {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
  /** How many bytes of the body are sent: all, or the answer is waited for in vain. */
  sends?: number
}

/** A request under way. */
export interface Asked {
  /** Undefined where the connection ended before the answer did. Rejects where none comes at all. */
  answer: Promise<Answer | undefined>
  /** Ends the connection, with or without the farewell of TCP. */
  cut (isRude: boolean): void
}

/** Asks on a connection of its own: those of a killed server are of no use to the next one. */
export function ask (url: string, { method = 'GET', headers = {}, body = '', sends = Infinity }: Asking = {}): Asked {
  const bytes = Buffer.from(body)
  const length = bytes.length > 0 && { 'content-length': bytes.length }
  const outgoing = request(url, { agent: false, method, headers: { ...headers, ...length }, timeout: LIMIT_MS })
  const answer = new Promise<Answer | undefined>((resolve, reject) => {
    outgoing.on('timeout', () => {
      reject(new Error(`no answer to ${method} ${url} within ${LIMIT_MS} ms`))
      outgoing.destroy()
    })
    for (const end of ['close', 'error']) outgoing.on(end, () => resolve(undefined))
    outgoing.on('response', (response) => {
      read(response).then(resolve, () => resolve(undefined))
    })
  })
  if (sends < bytes.length) outgoing.write(bytes.subarray(0, sends))
  else outgoing.end(bytes)
  return { answer, cut: (isRude) => isRude ? outgoing.socket?.resetAndDestroy() : outgoing.destroy() }
}

async function read (response: IncomingMessage): Promise<Answer> {
  const body = await text(response)
  return { status: Number(response.statusCode), headers: response.headers, body: body === '' ? undefined : JSON.parse(body) }
}
