import { pipeline, Readable, type Duplex } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendAsyncHookHandler } from 'fastify'
import Negotiator from 'negotiator'

/** What is shorter fits into one packet anyway. */
const LEAST_BYTES = 1_024

interface Coding {
  compress (payload: Buffer): Promise<Buffer>
  stream (): Duplex
}

/** What is used of zlib; zstd is there since Node 22.15, and the types are those of Node 20. */
interface Zlib extends Pick<typeof zlib, 'brotliCompress' | 'createBrotliCompress' | 'createGzip' | 'gzip'> {
  zstdCompress?: (payload: Buffer, done: (error: Error | null, compressed: Buffer) => void) => void
  createZstdCompress?: () => Duplex
}

/** As negotiator has it since 1.0; its types are older. */
interface Preferring {
  encoding (available: readonly string[], options: { preferred: readonly string[] }): string | undefined
}

/** The content codings, best first, at levels that cost about as much as the answer itself. */
export function codingsOf (library: Zlib): Map<string, Coding> {
  const { zstdCompress, createZstdCompress } = library
  const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }
  const gzip = { level: 6 }
  const [compressBrotli, compressGzip] = [promisify<Buffer, zlib.BrotliOptions, Buffer>(library.brotliCompress), promisify<Buffer, zlib.ZlibOptions, Buffer>(library.gzip)]
  return new Map<string, Coding>([
    ...zstdCompress && createZstdCompress ? [['zstd', { compress: promisify(zstdCompress), stream: createZstdCompress }] as const] : [],
    ['br', { compress: async (payload) => compressBrotli(payload, brotli), stream: () => library.createBrotliCompress(brotli) }],
    ['gzip', { compress: async (payload) => compressGzip(payload, gzip), stream: () => library.createGzip(gzip) }]
  ])
}

/**
 * Compresses lists and exports for clients that take that (RFC 9110 section 8.4); never one record, whose length would tell what stands beside what a client
 * chose, nor a token. Requests that share a list share its compressed bytes.
 */
export function compressLists (app: FastifyInstance, known = codingsOf(zlib)): void {
  const names = [...known.keys()]
  const shared = new WeakMap<Buffer, Map<string, Promise<Buffer>>>()

  const once = (name: string, coding: Coding, payload: Buffer): Promise<Buffer> => {
    const made = shared.get(payload) ?? new Map<string, Promise<Buffer>>()
    shared.set(payload, made)
    const compressed = made.get(name) ?? coding.compress(payload)
    made.set(name, compressed)
    return compressed
  }
  /** Equal texts of one turn of the event loop are one: requests that shared a list have them, where it is short. */
  const texts = new Map<string, Buffer>()
  const bytesOf = (text: string): Buffer => {
    const bytes = texts.get(text) ?? Buffer.from(text)
    if (texts.size === 0) setImmediate(() => texts.clear())
    texts.set(text, bytes)
    return bytes
  }
  const onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (reply.statusCode !== 200 && reply.statusCode !== 304) return payload
    vary(reply)
    if (reply.statusCode === 304) return payload
    const name = String((new Negotiator(request.raw) as Preferring).encoding([...names, 'identity'], { preferred: names }))
    const coding = known.get(name)
    if (!coding) return payload
    if (payload instanceof Readable) {
      reply.header('content-encoding', name).removeHeader('content-length')
      return pipeline(payload, coding.stream(), () => {}) // an error ends the answer
    }
    const bytes = typeof payload === 'string' ? bytesOf(payload) : payload as Buffer // as serializers make them
    if (bytes.length < LEAST_BYTES) return payload
    reply.header('content-encoding', name) // Fastify gives it its length
    return once(name, coding, bytes)
  }
  app.addHook('onRoute', (route) => {
    if (!route.config?.isLarge) return
    const hooks = [route.onSend ?? []].flat() as onSendAsyncHookHandler[] // one of the two kinds, which both are called alike
    // the last one of HEAD is Fastify's, which takes the body away
    const at = route.method === 'HEAD' ? hooks.length - 1 : hooks.length
    route.onSend = [...hooks.slice(0, at), onSend, ...hooks.slice(at)]
  })
}

function vary (reply: FastifyReply): void {
  const given = reply.getHeader('vary')
  reply.header('vary', given === undefined ? 'accept-encoding' : `${String(given)}, accept-encoding`)
}
