import type { RequestListener } from 'node:http'
import { constants, createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Config } from '../config.js'
import { readTls, type TlsFiles } from '../lib/server/tls-files.js'

/** What Fastify has for requests takes those of HTTP/2 as well. */
type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

/** How many requests of one connection are worked on at once; a client waits with the others (RFC 9113 section 5.1.2). */
const MAX_STREAMS = 128

/** A server that speaks HTTP/2 and HTTP/1.1 over TLS, with the limits that the other has. */
export function createTlsServer (files: TlsFiles, config: Config, handle: RequestListener): Http2SecureServer {
  const { REQUEST_TIMEOUT_MS, CONNECTION_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS } = config
  const server = createSecureServer({
    ...files, allowHTTP1: true, handshakeTimeout: REQUEST_TIMEOUT_MS, settings: { maxConcurrentStreams: MAX_STREAMS }
  }, handle as unknown as Http2Listener)
  // of the requests of HTTP/1.1
  Object.assign(server, { headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS })
  server.setTimeout(CONNECTION_TIMEOUT_MS)
  server.on('timeout', endSilent)
  server.on('session', (session) => session.setTimeout(KEEP_ALIVE_TIMEOUT_MS))
  server.on('stream', (stream) => stream.setTimeout(CONNECTION_TIMEOUT_MS, () => stream.close(constants.NGHTTP2_CANCEL)))
  return server
}

/** What has been silent for too long: a connection, or a session, whose requests have limits of their own. */
function endSilent (silent: Socket | ServerHttp2Session): void {
  if ('goaway' in silent) silent.close()
  else silent.destroy()
}

/** Reads certificate and key again; where they are not good, the server goes on with those that it has, and says why. */
export function renewTls (server: Http2SecureServer, config: Config): string[] {
  const { files, faults } = readTls(config)
  if (files) server.setSecureContext(files)
  return faults
}
