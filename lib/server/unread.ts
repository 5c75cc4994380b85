import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Writable } from 'node:stream'

/** What is left of answers that go in pieces, in bytes, by the socket or the stream of HTTP/2 that they go to. */
const pending = new WeakMap<object, number>()

/** So much of the answer to a request is still to be written. */
export function pend (message: IncomingMessage | Http2ServerRequest, bytes: number): void {
  pending.set('stream' in message ? message.stream : message.socket, Math.max(0, bytes))
}

/** What a client has not taken yet, in bytes. */
export function unreadOf (to: Writable): number {
  return to.writableLength + (pending.get(to) ?? 0)
}
