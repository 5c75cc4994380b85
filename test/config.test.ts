import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Config, ConfigError, couchbaseOptionsOf, databaseOptionsOf, loadConfig, misspelled, warningsOf } from '../config.js'
import { start } from '../embedded/index.js'
import { DATABASE_NAME } from '../lib/mongodb/database-options.js'
import { readKeys } from '../lib/access/jwt-keys.js'
import { root } from './root.js'

t.test('without variables everything has its default', async (t) => {
  t.strictSame(loadConfig({ PATH: '/bin', MONGODB_URL: '' }), {
    MONGODB_DATABASE: 'college',
    MONGODB_TIMEOUT_MS: 1_500,
    DATA_DIR: './data',
    COUCHBASE_TIMEOUT_MS: 5_000,
    AUTH: 'off',
    JWT_ISSUER: 'student-course-api',
    JWT_AUDIENCE: 'student-course-api',
    ACCESS_TOKEN_TTL: 900,
    REFRESH_TOKEN_TTL: 2_592_000,
    HOST: '127.0.0.1',
    PORT: 8_000,
    WORKERS: '1',
    LOG_LEVEL: 'info',
    BODY_LIMIT: 65_536,
    REQUIRE_IF_MATCH: 'off',
    READ_ONLY: 'off',
    IDEMPOTENCY_TTL: 86_400,
    REQUEST_TIMEOUT_MS: 30_000,
    CONNECTION_TIMEOUT_MS: 60_000,
    KEEP_ALIVE_TIMEOUT_MS: 72_000,
    SHUTDOWN_TIMEOUT_MS: 10_000,
    SHUTDOWN_DELAY_MS: 0,
    COMPRESSION: 'off',
    RATE_LIMIT_QUOTA: 0,
    RATE_LIMIT_WINDOW: 60,
    SHED_DELAY_MS: 500,
    SHED_MEMORY_MB: 0,
    METRICS: 'off',
    SERVER_TIMING: 'off',
    DOCS: 'on'
  })
})

t.test('variables are taken as numbers where numbers are meant', async (t) => {
  t.match(loadConfig({ PORT: '0', MONGODB_DATABASE: '1', DOCS: 'off' }), { PORT: 0, MONGODB_DATABASE: '1', DOCS: 'off' })
})

t.test('one error lists every fault, without any value', async (t) => {
  const env = {
    MONGODB_URL: 'http://user:secret@x',
    MONGODB_DATABASE: 'a/b',
    PORT: '80000',
    LOG_LEVEL: 'loud',
    BODY_LIMIT: 'much',
    REQUEST_TIMEOUT_MS: '0',
    DOCS: 'maybe'
  }
  t.throws(() => loadConfig(env), new ConfigError([
    'MONGODB_URL must match pattern "^mongodb(\\+srv)?://"',
    `MONGODB_DATABASE must match pattern "${DATABASE_NAME}"`,
    'PORT must be <= 65535',
    'LOG_LEVEL must be equal to one of the allowed values: fatal, error, warn, info, debug, trace, silent',
    'BODY_LIMIT must be integer',
    'REQUEST_TIMEOUT_MS must be >= 1',
    'DOCS must be equal to one of the allowed values: on, off'
  ]))
})

t.test('what is no whole number, or no name that every platform takes, is a fault', async (t) => {
  for (const PORT of [' ', '1e3', '0x1f', '-1', '8000.5', '9'.repeat(20)]) t.throws(() => loadConfig({ PORT }), ConfigError, PORT)
  for (const MONGODB_DATABASE of ['é', 'a b', 'a.b', 'x'.repeat(64), 'a\u0000']) t.throws(() => loadConfig({ MONGODB_DATABASE }), ConfigError)
  t.equal(loadConfig({ MONGODB_DATABASE: 'School_2026-a' }).MONGODB_DATABASE, 'School_2026-a')
})

t.test('Couchbase is all four variables or none', async (t) => {
  const all = { COUCHBASE_URL: 'couchbase://x', COUCHBASE_USERNAME: 'u', COUCHBASE_PASSWORD: 'p', COUCHBASE_BUCKET: 'b' }
  t.match(loadConfig(all), all)
  t.throws(() => loadConfig({ COUCHBASE_URL: 'couchbase://x', COUCHBASE_BUCKET: 'b' }), new ConfigError([
    'COUCHBASE_USERNAME must be set together with COUCHBASE_URL', 'COUCHBASE_PASSWORD must be set together with COUCHBASE_URL'
  ]))
})

t.test('access control needs keys of 32 bytes, from a variable or a file', async (t) => {
  const [one, other] = ['a'.repeat(32), 'é'.repeat(16)]
  const dir = t.testdir({ keys: `${one}\n${other}\n`, short: 'secret', empty: '\n' })
  const keysOf = (env: NodeJS.ProcessEnv) => readKeys(loadConfig({ AUTH: 'on', ...env })).keys
  t.strictSame(keysOf({ JWT_SECRET: one }), [one])
  t.strictSame(keysOf({ JWT_SECRET: `${one} ${other}` }), [one, other], 'bytes, not characters')
  t.strictSame(keysOf({ JWT_SECRET_FILE: `${dir}/keys` }), [one, other])
  const faults: [NodeJS.ProcessEnv, string][] = [
    [{}, 'JWT_SECRET must hold keys of at least 32 bytes each, with AUTH=on'],
    [{ JWT_SECRET: 'secret' }, 'JWT_SECRET must hold keys of at least 32 bytes each, with AUTH=on'],
    [{ JWT_SECRET: `${one} secret` }, 'JWT_SECRET must hold keys of at least 32 bytes each, with AUTH=on'],
    [{ JWT_SECRET_FILE: `${dir}/short` }, 'JWT_SECRET_FILE must hold keys of at least 32 bytes each, with AUTH=on'],
    [{ JWT_SECRET_FILE: `${dir}/empty` }, 'JWT_SECRET_FILE must hold keys of at least 32 bytes each, with AUTH=on'],
    [{ JWT_SECRET_FILE: `${dir}/none` }, 'JWT_SECRET_FILE can\'t be read: ENOENT'],
    [{ JWT_SECRET_FILE: dir }, 'JWT_SECRET_FILE can\'t be read: EISDIR'],
    [{ JWT_SECRET: one, JWT_SECRET_FILE: `${dir}/keys` }, 'set only one of JWT_SECRET and JWT_SECRET_FILE']
  ]
  for (const [env, fault] of faults) t.throws(() => loadConfig({ AUTH: 'on', ...env }), new ConfigError([fault]))
  t.equal(loadConfig({ JWT_SECRET: 'secret' }).AUTH, 'off', 'without access control no key is looked at')
})

t.test('proxies are addresses and ranges, and never everybody', async (t) => {
  for (const TRUST_PROXY of ['127.0.0.1', '::1', '10.0.0.0/8, loopback', 'fd00::/8,linklocal,uniquelocal']) {
    t.equal(loadConfig({ TRUST_PROXY }).TRUST_PROXY, TRUST_PROXY)
  }
  for (const TRUST_PROXY of ['true', '1', '*', 'proxy.example', '10.0.0.0/33', '10.0.0.0/', '::/129', '10.0.0.0/8/8', 'loopback,', '10.0.0.0/x', '0.0.0.0/0', '::/0']) {
    t.throws(() => loadConfig({ TRUST_PROXY }), /TRUST_PROXY must be addresses/, TRUST_PROXY)
  }
})

t.test('every variable is described', async (t) => {
  for (const [name, schema] of Object.entries(Config.properties)) t.match(schema.description, /^[A-Z].*\.$/, name)
})

t.test('docs/configuration.md lists every variable with its default and its description', async (t) => {
  const page = await readFile(`${root}docs/configuration.md`, 'utf8')
  const rows = Object.entries(Config.properties).map(([name, schema]) => {
    const fallback = schema.default === undefined ? '' : `\`${schema.default}\` `
    return `| \`${name}\` | ${fallback}| ${schema.description} |`
  })
  const table = ['| Variable | Default | Meaning |', '|---|---|---|', ...rows, ''].join('\n')
  t.ok(page.includes(`\n${table}\n`), table)
})

t.test('a variable that begins like ours and is none is told with the one that is meant, and without its value', async (t) => {
  t.strictSame(misspelled({ MONGO_URL: 's3cret', MONGODB_URL: 'x', MONGO_INITDB_ROOT_PASSWORD: 's3cret', JWT_SECRETS: 's3cret', PATH: '/bin', PORTS: '1' }), [
    'MONGO_URL is not a variable of this server; did you mean MONGODB_URL?',
    'MONGO_INITDB_ROOT_PASSWORD is not a variable of this server',
    'JWT_SECRETS is not a variable of this server; did you mean JWT_SECRET?'
  ])
})

t.test('settings that are right one by one, and not together, are warnings', async (t) => {
  const secret = 'x'.repeat(40)
  for (const [env, ...expected] of [
    [{}],
    [{ AUTH: 'on', JWT_SECRET: secret, HOST: '0.0.0.0' }],
    [{ ALLOWED_HOSTS: 'a.example' }],
    [{ METRICS_PORT: '9464' }],
    [{ HOST: '0.0.0.0' }, 'AUTH is off: anyone who can reach this address can read and change everything'],
    [{ JWT_SECRET: secret }, 'AUTH is off: the keys of JWT_SECRET are not used'],
    [{ JWT_SECRET_FILE: 'keys' }, 'AUTH is off: the keys of JWT_SECRET are not used'],
    [{ READ_ONLY: 'on' }, 'READ_ONLY is on: requests that write are answered 503'],
    [{ ALLOWED_HOSTS: 'a.example', AUTH: 'on', JWT_SECRET: secret }, 'ALLOWED_HOSTS is not used: it counts with AUTH=off on a loopback address only'],
    [{ METRICS: 'on', METRICS_PORT: '9464' }, 'METRICS is not used: METRICS_PORT takes its place'],
    [{ COUCHBASE_BUCKET: 'b' }, 'COUCHBASE_BUCKET is not used without COUCHBASE_URL: users are kept with the students']
  ] as [NodeJS.ProcessEnv, ...string[]][]) t.strictSame(warningsOf(loadConfig(env)), expected, JSON.stringify(env))
})

t.test('a URL wins, else a live store, else one to start', async (t) => {
  const DATA_DIR = t.testdir()
  t.strictSame(await databaseOptionsOf(loadConfig({ DATA_DIR, MONGODB_URL: 'mongodb://x' })), { url: 'mongodb://x', database: 'college', timeoutMs: 1_500 })
  t.strictSame(await databaseOptionsOf(loadConfig({ DATA_DIR, MONGODB_DATABASE: 'other' })), { embedded: DATA_DIR, database: 'other', timeoutMs: 1_500 })
  const store = await start({ path: DATA_DIR })
  t.strictSame(await databaseOptionsOf(loadConfig({ DATA_DIR })), { url: store.url, database: 'college', timeoutMs: 1_500 })
  await store.close()
  t.strictSame(await databaseOptionsOf(loadConfig({ DATA_DIR })), { embedded: DATA_DIR, database: 'college', timeoutMs: 1_500 })
})

t.test('profiles are on Couchbase only where it is named', async (t) => {
  t.equal(couchbaseOptionsOf(loadConfig({})), undefined)
  const env = { COUCHBASE_URL: 'couchbase://x', COUCHBASE_USERNAME: 'u', COUCHBASE_PASSWORD: 'p', COUCHBASE_BUCKET: 'b' }
  t.strictSame(couchbaseOptionsOf(loadConfig(env)), { url: 'couchbase://x', username: 'u', password: 'p', bucket: 'b', timeoutMs: 5_000 })
})
