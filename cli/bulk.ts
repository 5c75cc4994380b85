import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { extname } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import studentCourseApi from '../app.js'
import { databaseOptionsOf } from '../config.js'
import { CSV_TYPE, NDJSON_TYPES } from '../lib/http/media-types.js'
import { PROBLEM_TYPE } from '../schemas/problem.js'
import { readSecret } from './prompt.js'
import { type Surroundings, withApp } from './surroundings.js'
import { UsageError } from './user-commands.js'

/** A server that is at work on an import tells so each second; one that says nothing for so long is as good as away. */
const SILENCE_MS = 60_000

/** What both commands can be told. */
export interface BulkValues {
  format?: Format | undefined
  resource?: string | undefined
  url?: string | undefined
  token?: string | undefined
}

export type Format = 'ndjson' | 'csv'

export const TYPES: Record<Format, string> = { ndjson: NDJSON_TYPES[0], csv: CSV_TYPE }

const ENDINGS = new Map<string, Format>([['.csv', 'csv'], ['.ndjson', 'ndjson'], ['.jsonl', 'ndjson']])

/** A file's name for the pipe. */
export const PIPE = '-'

/** Throws UsageError where neither the option nor the name says it. */
export function formatOf (file: string, format: Format | undefined): Format {
  if (format !== undefined) return format
  const known = file === PIPE ? 'ndjson' : ENDINGS.get(extname(file).toLowerCase())
  if (!known) throw new UsageError(`The name ${file} does not end in .csv, .ndjson or .jsonl: say --format ndjson or --format csv.`)
  return known
}

export interface ApiRequest {
  method: 'GET' | 'POST'
  /** Below the API's base. */
  path: string
  /** As it stands after the question mark. */
  query: string
  headers: Record<string, string>
  body?: Readable
}

export interface ApiAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Readable
}

/** Sends a request; resolves with the head of the answer. Bodies stream in both directions, as fast as they are read. */
export type Send = (request: ApiRequest) => Promise<ApiAnswer>

/** No server was reached at all. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

/** Gives a command its API: a server, or else one of its own on the configured store, which listens nowhere. */
export async function withApi<T> (values: BulkValues, surroundings: Surroundings, work: (send: Send) => Promise<T>): Promise<T> {
  const { url, token } = values
  if (token !== undefined && token !== '-') throw new UsageError('--token takes - alone, since others can read the arguments of a process: the token comes from a prompt, or from standard input.')
  if (url !== undefined) {
    const base = baseOf(url)
    return work(overHttp(base, token === undefined ? undefined : await readToken(surroundings)))
  }
  if (token !== undefined) throw new UsageError('--token is for a server: say which by --url.')
  return withApp(surroundings, async (app, config) => {
    await app.register(studentCourseApi, { ...await databaseOptionsOf(config), bodyLimit: config.BODY_LIMIT, idempotencyTtlSeconds: config.IDEMPOTENCY_TTL, docs: false })
    return work(within(app))
  })
}

/** Of a URL only what a base can have; a password in it would stand in the arguments. */
function baseOf (text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBase = url && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === ''
  if (!isBase) throw new UsageError('--url is http://HOST or https://HOST, with a port and a path where the API has them, and nothing else.')
  return url
}

async function readToken ({ stdin, stderr }: Surroundings): Promise<string> {
  const token = await readSecret('Token', { input: stdin, output: stderr }, { isNew: false })
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('That is not a token.')
  return token
}

/** Sends to a server; Node's fetch would wait for the end of the body before the answer. */
export function overHttp (base: URL, token?: string, silenceMs = SILENCE_MS): Send {
  const isSecure = base.protocol === 'https:'
  const open = isSecure ? httpsRequest : httpRequest
  return async ({ method, path, query, headers, body }) => {
    const url = new URL(base)
    url.pathname = base.pathname.replace(/\/$/, '') + path
    url.search = query
    const request = open(url, { method, headers: { ...headers, ...token !== undefined && { authorization: `Bearer ${token}` } } })
    let isConnected = false
    request.once('socket', (socket) => {
      isConnected = !socket.connecting
      if (!isConnected) socket.once(isSecure ? 'secureConnect' : 'connect', () => { isConnected = true })
    })
    request.on('error', () => {}) // once there is an answer, its reader is told
    if (body) {
      request.setTimeout(silenceMs, () => request.destroy(new Error(`${base.host} has not said anything for ${silenceMs / 1_000} s`)))
      pipeline(body, request, () => {})
    } else request.end()
    try {
      const [response] = await once(request, 'response') as [IncomingMessage] // as Node documents it
      return { status: Number(response.statusCode), headers: response.headers, body: response }
    } catch (error) {
      throw isConnected ? error : new UnreachableError(`${base.host} cannot be reached: ${reasonOf(error as Error)}.`) // nothing here throws anything else
    }
  }
}

/** Sends to an app of this process, without a port that others on this machine could use too. */
export function within (app: FastifyInstance): Send {
  return async ({ method, path, query, headers, body }) => {
    const answer = await app.inject({ method, url: `${path}?${query}`, headers, ...body && { payload: body }, payloadAsStream: true })
    const stream = answer.stream()
    // whoever stops to read has left, which a connection would tell
    stream.once('close', () => answer.raw.res.destroy())
    return { status: answer.statusCode, headers: answer.headers as IncomingHttpHeaders, body: stream }
  }
}

/** What went wrong with a connection. Where a name has several addresses, Node's error for all has a code and no message. */
export function reasonOf ({ message, code }: Error & { code?: string }): string {
  return message || String(code)
}

/** A problem as the API tells it, or what there is to say of an answer without one. */
export interface Problem {
  status?: number
  detail: string
  errors?: { pointer?: string, parameter?: string, detail: string }[]
}

/** The problem that is the answer. */
export async function problemIn<P extends Problem> ({ status, headers, body }: ApiAnswer): Promise<P | Pick<Problem, 'detail'>> {
  if (isOf(headers, PROBLEM_TYPE)) return JSON.parse(await text(body)) as P // as the API writes them
  body.destroy()
  return { detail: `The answer is ${status} and no problem of this API: is the URL right?` }
}

/** Whether that is the media type of an answer. */
export function isOf (headers: IncomingHttpHeaders, type: string): boolean {
  return String(headers['content-type']).split(';', 1)[0] === type
}

/** A problem in words. */
export function said ({ detail, errors = [] }: Problem): string {
  return [detail, ...errors.map(({ pointer, parameter, detail }) => `${parameter ?? pointer} ${detail}`)].join('\n')
}

/** How many, in words. */
export function count (number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
