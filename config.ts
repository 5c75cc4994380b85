import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { Type, type Static } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { DATABASE_NAME, DEFAULTS, type ResolvedDatabase } from './lib/mongodb/database-options.js'
import { ACCESS_TOKEN_LIFE_S, REFRESH_TOKEN_LIFE_S } from './lib/access/auth-options.js'
import { readKeys } from './lib/access/jwt-keys.js'
import { suggestion } from './lib/options/nearest.js'
import { BASE_PATH } from './lib/server/base-path.js'
import { isLoopback } from './lib/server/loopback.js'
import { readTls } from './lib/server/tls-files.js'
import { isProxyList } from './lib/server/trust-proxy.js'
import type { CouchbaseOptions } from './lib/users/couchbase.js'

const milliseconds = (fallback: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 3_600_000, default: fallback, description })

const oneOf = <T extends string>(values: T[], fallback: T, description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: values, default: fallback, description })

/** Every environment variable of the server and the command line. */
export const Config = Type.Object({
  MONGODB_URL: Type.Optional(Type.String({
    pattern: '^mongodb(\\+srv)?://',
    description: 'The MongoDB server, 5.0 or newer. If unset, the embedded store in `DATA_DIR` is used.'
  })),
  MONGODB_DATABASE: Type.String({
    pattern: DATABASE_NAME,
    default: DEFAULTS.database,
    description: 'The database. A database in the path of the URL is ignored.'
  }),
  MONGODB_TIMEOUT_MS: milliseconds(DEFAULTS.timeoutMs, 'How long a database operation may take before the server answers 503.'),
  DATA_DIR: Type.String({ default: './data', description: 'The folder of the embedded store.' }),
  COUCHBASE_URL: Type.Optional(Type.String({
    pattern: '^couchbases?://',
    description: 'The Couchbase server for user profiles. If unset, they are kept with the students.'
  })),
  COUCHBASE_USERNAME: Type.Optional(Type.String({ description: 'The user name for that server.' })),
  COUCHBASE_PASSWORD: Type.Optional(Type.String({ description: 'The password for that user name.' })),
  COUCHBASE_BUCKET: Type.Optional(Type.String({ description: 'The bucket for user profiles.' })),
  COUCHBASE_TIMEOUT_MS: milliseconds(5_000, 'How long a Couchbase operation may take before the server answers 503.'),
  AUTH: oneOf(['on', 'off'], 'off', 'Whether requests need an access token: `on` or `off`.'),
  JWT_SECRET: Type.Optional(Type.String({
    description: 'With `AUTH=on`: the keys for access tokens, separated by spaces, each at least 32 bytes long. The first key signs; all keys verify.'
  })),
  JWT_SECRET_FILE: Type.Optional(Type.String({ description: 'A file with those keys, one per line, instead of `JWT_SECRET`.' })),
  JWT_ISSUER: Type.String({ default: 'student-course-api', description: 'The `iss` claim of access tokens.' }),
  JWT_AUDIENCE: Type.String({ default: 'student-course-api', description: 'The `aud` claim of access tokens.' }),
  ACCESS_TOKEN_TTL: Type.Integer({
    minimum: 1, maximum: 86_400, default: ACCESS_TOKEN_LIFE_S, description: 'How long an access token is good for, in seconds.'
  }),
  REFRESH_TOKEN_TTL: Type.Integer({
    minimum: 1, maximum: 31_536_000, default: REFRESH_TOKEN_LIFE_S, description: 'How long after its login a refresh token is good for, in seconds.'
  }),
  TRUST_PROXY: Type.Optional(Type.String({
    description: 'The proxies whose `X-Forwarded-For` header is trusted for the client address: addresses, ranges (`10.0.0.0/8`), ' +
      '`loopback`, `linklocal` or `uniquelocal`, separated by commas. If unset, no proxy is trusted.'
  })),
  ALLOWED_HOSTS: Type.Optional(Type.String({
    pattern: '^[^\\s,/:@]+(,[^\\s,/:@]+)*$',
    description: 'With `AUTH=off` on a loopback address: further host names to serve, separated by commas. By default only `localhost` and loopback addresses are served, ' +
      'because any web page could otherwise reach the API under a name of its own.'
  })),
  BASE_PATH: Type.Optional(Type.String({
    pattern: BASE_PATH,
    description: 'The path under which a proxy serves this server, such as `/college`, whether the proxy takes it away or not. A proxy of `TRUST_PROXY` may name another one in `X-Forwarded-Prefix`.'
  })),
  HOST: Type.String({ default: '127.0.0.1', description: 'The address to listen on.' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8_000, description: 'The port to listen on. 0 picks a free one.' }),
  TLS_CERT_FILE: Type.Optional(Type.String({
    description: 'A file with a certificate and those above it, in PEM: the server then speaks TLS, with HTTP/2 and HTTP/1.1. SIGHUP has it read again.'
  })),
  TLS_KEY_FILE: Type.Optional(Type.String({ description: 'A file with the key of that certificate, in PEM.' })),
  WORKERS: Type.String({
    pattern: '^(auto|[1-9]\\d{0,2})$',
    default: '1',
    description: 'How many processes serve, started again when they end; `auto` is one for each processor. The embedded store, limits and metrics are shared.'
  }),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info', 'The least severe level that is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.'),
  BODY_LIMIT: Type.Integer({ minimum: 1_024, maximum: 16_777_216, default: 65_536, description: 'The maximum size of a request body, in bytes.' }),
  REQUIRE_IF_MATCH: oneOf(['on', 'off'], 'off', 'Whether a change without the header `If-Match` is refused: `on` or `off`.'),
  READ_ONLY: oneOf(['on', 'off'], 'off', 'Whether requests that write are answered 503, while the records are copied elsewhere: `on` or `off`.'),
  IDEMPOTENCY_TTL: Type.Integer({ minimum: 1, maximum: 31_536_000, default: 86_400, description: 'How long a request with an `Idempotency-Key` is remembered, in seconds.' }),
  REQUEST_TIMEOUT_MS: milliseconds(30_000, 'How long a client may take to send a request before the server answers 408; an import has no such limit.'),
  CONNECTION_TIMEOUT_MS: milliseconds(60_000, 'How long a connection may stay silent during a request before the server closes it.'),
  KEEP_ALIVE_TIMEOUT_MS: milliseconds(72_000, 'How long an idle connection stays open for the next request.'),
  SHUTDOWN_TIMEOUT_MS: milliseconds(10_000, 'The grace time: how long requests in flight may take after the signal that ends the server.'),
  SHUTDOWN_DELAY_MS: Type.Integer({
    minimum: 0,
    maximum: 600_000,
    default: 0,
    description: 'How long the server goes on as before after that signal, but for `/readyz`, which is 503 from then on: so long as a load balancer takes to see it.'
  }),
  CORS_ORIGINS: Type.Optional(Type.String({
    pattern: '^(\\*|https?://[^\\s,/]+(,https?://[^\\s,/]+)*)$',
    description: 'The origins whose pages may use the API, separated by commas, such as `https://app.example.com`, or `*` for all. If unset, none but its own.'
  })),
  COMPRESSION: oneOf(['on', 'off'], 'off', 'Whether lists and exports are compressed for clients that take it (zstd, br or gzip): `on` or `off`, where a proxy does it.'),
  RATE_LIMIT_QUOTA: Type.Integer({
    minimum: 0, maximum: 1_000_000_000, default: 0, description: 'How many requests a user, or a network without a token, may send in one window before the server answers 429. 0 is no limit.'
  }),
  RATE_LIMIT_WINDOW: Type.Integer({ minimum: 1, maximum: 86_400, default: 60, description: 'The length of that window, in seconds.' }),
  SHED_DELAY_MS: Type.Integer({
    minimum: 0, maximum: 60_000, default: 500, description: 'How late the event loop or answers may be before requests are answered 503 at once, in milliseconds. 0 is no limit.'
  }),
  SHED_MEMORY_MB: Type.Integer({
    minimum: 0, maximum: 1_000_000, default: 0, description: 'How much memory the process may hold before requests are answered 503 at once, in MiB. 0 is no limit.'
  }),
  METRICS: oneOf(['on', 'off'], 'off', 'Whether `/metrics` is served, to anyone: `on` or `off`. See `METRICS_PORT`.'),
  METRICS_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'A port for the metrics alone, on `HOST`, instead of `METRICS`. 0 picks a free one.' })),
  SERVER_TIMING: oneOf(['on', 'off'], 'off', 'Whether answers say in `Server-Timing` how long they took: `on` or `off`.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Type.String({
    pattern: '^https?://',
    description: "The OpenTelemetry collector that gets a trace of each request, over OTLP/HTTP. OpenTelemetry's other variables (`OTEL_*`) are read as well."
  })),
  DOCS: oneOf(['on', 'off'], 'on', 'Whether `/docs` and `/openapi.json` are served: `on` or `off`.')
})

export type Config = Static<typeof Config>

/** The configuration has faults; the message lists all of them, and none of their values. */
export class ConfigError extends Error {
  readonly exitStatus = 2

  constructor (faults: string[]) {
    super(`The configuration is invalid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}

/** Takes the variables of a `.env` file in the working directory, where the environment has none of that name. */
export function readEnvFile (env: NodeJS.ProcessEnv): void {
  if (!existsSync('.env')) return
  // some editors begin a file with a byte order mark, which would be part of the first name
  const variables = parseEnv(readFileSync('.env', 'utf8').replace(/^\uFEFF/, ''))
  for (const [name, value] of Object.entries(variables)) env[name] ??= value
}

/** The beginnings of names that are this server's alone. */
const FAMILIES = /^(MONGO|MONGODB|COUCHBASE|JWT)_/

/** A warning for each variable that is most likely meant for this server and is none of its own; it tells no value. */
export function misspelled (env: NodeJS.ProcessEnv): string[] {
  const names = Object.keys(Config.properties)
  return Object.keys(env).filter((name) => FAMILIES.test(name) && !names.includes(name)).map((name) => `${name} is not a variable of this server${suggestion(name, names)}`)
}

/** What a server with this configuration should tell whoever starts it: settings that are right one by one, and not together. */
export function warningsOf (config: Config): string[] {
  const isOpen = config.AUTH === 'off'
  const isLocal = isLoopback(config.HOST)
  const told: [boolean, string][] = [
    [isOpen && !isLocal, 'AUTH is off: anyone who can reach this address can read and change everything'],
    [isOpen && Boolean(config.JWT_SECRET ?? config.JWT_SECRET_FILE), 'AUTH is off: the keys of JWT_SECRET are not used'],
    [config.READ_ONLY === 'on', 'READ_ONLY is on: requests that write are answered 503'],
    [config.ALLOWED_HOSTS !== undefined && !(isOpen && isLocal), 'ALLOWED_HOSTS is not used: it counts with AUTH=off on a loopback address only'],
    [config.METRICS === 'on' && config.METRICS_PORT !== undefined, 'METRICS is not used: METRICS_PORT takes its place'],
    [config.COUCHBASE_BUCKET !== undefined && config.COUCHBASE_URL === undefined, 'COUCHBASE_BUCKET is not used without COUCHBASE_URL: users are kept with the students']
  ]
  return told.filter(([isSo]) => isSo).map(([, text]) => text)
}

/** The configuration from environment variables; an empty one counts as not set. Throws ConfigError. */
export function loadConfig (env: NodeJS.ProcessEnv): Config {
  const given = Object.keys(Config.properties).filter((name) => env[name])
  const config: unknown = Object.fromEntries(given.map((name) => [name, toValue(name, env[name])]))
  const validate = new Ajv({ allErrors: true, useDefaults: true }).compile<Config>(Config)
  const faults = validate(config) ? [...missingForCouchbase(config), ...keyFaults(config), ...proxyFaults(config), ...readTls(config).faults] : (validate.errors as ErrorObject[]).map(describe) // set when it failed
  if (faults.length > 0) throw new ConfigError(faults)
  return config as Config // as the validation found
}

/** Couchbase lets nobody in without the other three. */
function missingForCouchbase (config: Config): string[] {
  if (!config.COUCHBASE_URL) return []
  const needed = ['COUCHBASE_USERNAME', 'COUCHBASE_PASSWORD', 'COUCHBASE_BUCKET'] as const
  return needed.filter((name) => !config[name]).map((name) => `${name} must be set together with COUCHBASE_URL`)
}

/** With access control, there is a key; what is wrong with one is told without it. */
function keyFaults (config: Config): string[] {
  return config.AUTH === 'on' ? readKeys(config).faults : []
}

function proxyFaults ({ TRUST_PROXY }: Config): string[] {
  if (!TRUST_PROXY || isProxyList(TRUST_PROXY)) return []
  return ['TRUST_PROXY must be addresses, ranges, loopback, linklocal or uniquelocal, separated by commas']
}

/** A variable is text; digits stand for a number where one is meant. */
function toValue (name: string, text: string | undefined): string | number | undefined {
  const isInteger = Config.properties[name as keyof Config].type === 'integer' // the names come from there
  return isInteger && /^\d{1,15}$/.test(String(text)) ? Number(text) : text
}

function describe ({ instancePath, message, params }: ErrorObject): string {
  const allowed: string[] = params.allowedValues ?? []
  return `${instancePath.slice(1)} ${message}${allowed.length > 0 ? `: ${allowed.join(', ')}` : ''}`
}

/**
 * The database of the configuration, for commands beside the server: a live embedded store is shared with the process
 * that holds it, and one is started only where none lives.
 */
export async function databaseOptionsOf ({ MONGODB_URL, MONGODB_DATABASE, MONGODB_TIMEOUT_MS, DATA_DIR }: Config): Promise<ResolvedDatabase> {
  const common = { database: MONGODB_DATABASE, timeoutMs: MONGODB_TIMEOUT_MS }
  if (MONGODB_URL) return { url: MONGODB_URL, ...common }
  const { find } = await import('./embedded/index.js')
  const live = await find(DATA_DIR)
  return live === undefined ? { embedded: DATA_DIR, ...common } : { url: live, ...common }
}

/** The Couchbase bucket of the configuration, if it names one; loadConfig has seen to it that the rest is there. */
export function couchbaseOptionsOf (config: Config): CouchbaseOptions | undefined {
  const { COUCHBASE_URL: url, COUCHBASE_USERNAME: username = '', COUCHBASE_PASSWORD: password = '' } = config
  const { COUCHBASE_BUCKET: bucket = '', COUCHBASE_TIMEOUT_MS: timeoutMs } = config
  return url ? { url, username, password, bucket, timeoutMs } : undefined
}
