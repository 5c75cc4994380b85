import type { AppOptions } from './app-options.js'
import { KEY_BYTES } from '../access/auth-options.js'
import { DATABASE_NAME } from '../mongodb/database-options.js'
import { SetupError } from '../http/errors.js'
import { suggestion } from './nearest.js'

type Check = [isRight: (value: unknown) => boolean, what: string]

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
const has = (...methods: string[]) => (value: unknown) =>
  methods.every((method) => typeof (value as Record<string, unknown> | null)?.[method] === 'function')

function isResources (value: unknown): boolean {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'object' && each !== null && 'exampleShown' in each)) return false
  return ['name', 'plural', 'collection'].every((key) => new Set(value.map((each) => each[key])).size === value.length)
}

function isAuth (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { keys, authenticate, issuer = 'x', audience = 'x', accessTokenTtlSeconds = 1, refreshTokenTtlSeconds = 1 } = value as Record<string, unknown> // it is an object
  if (keys === undefined) return typeof authenticate === 'function'
  const isKey = (key: unknown) => typeof key === 'string' && Buffer.byteLength(key) >= KEY_BYTES
  const areKeys = Array.isArray(keys) && keys.length > 0 && keys.every(isKey)
  return authenticate === undefined && areKeys && isText(issuer) && isText(audience) && isCount(accessTokenTtlSeconds) && isCount(refreshTokenTtlSeconds)
}

function isDocs (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean'
  const { ui = true, inHost = true, theme = {} } = value as Record<string, unknown> // it is an object
  return typeof ui === 'boolean' && typeof inHost === 'boolean' && typeof theme === 'object' && theme !== null
}

/** What each option has to be, where it is given; a host in JavaScript has no compiler to tell it. */
const checks: Record<keyof AppOptions, Check> = {
  url: [isText, 'a MongoDB URL'],
  client: [has('db', 'on', 'off'), 'a MongoClient'],
  embedded: [isText, 'the path of a folder'],
  onStoreFailure: [(value) => typeof value === 'function', 'a function'],
  onStoreChange: [(value) => typeof value === 'function', 'a function'],
  database: [(value) => isText(value) && new RegExp(DATABASE_NAME).test(String(value)), 'the name of a database'],
  timeoutMs: [isCount, 'a whole number of milliseconds above 0'],
  students: [has('create', 'list', 'find', 'update', 'delete'), 'a StudentRepository'],
  resources: [isResources, 'a list of resources that defineResource made, each with a name of its own'],
  extend: [(value) => typeof value === 'function', 'a Fastify plugin'],
  users: [has('get', 'list', 'create', 'update', 'delete'), 'a UserStore'],
  couchbase: [(value) => ['url', 'username', 'password', 'bucket'].every((name) => isText((value as Record<string, unknown> | null)?.[name])),
    'an object with url, username, password and bucket'],
  auth: [isAuth, `an object with authenticate alone, or with keys of at least ${KEY_BYTES} bytes and maybe issuer, audience, accessTokenTtlSeconds and refreshTokenTtlSeconds`],
  docs: [isDocs, 'true, false or an object with ui and inHost, each true or false, and theme, an object'],
  operationIdPrefix: [(value) => typeof value === 'string', 'text'],
  requireIfMatch: [(value) => typeof value === 'boolean', 'true or false'],
  idempotencyTtlSeconds: [isCount, 'a whole number of seconds above 0'],
  bodyLimit: [isCount, 'a whole number of bytes above 0']
}

/** All options, which docs/plugin.md lists. */
export const OPTION_NAMES = Object.keys(checks)

/** What Fastify itself takes of the options of a plugin. */
const OF_FASTIFY = ['prefix', 'logLevel', 'logSerializers']

/** The names that an option of several parts has. */
const parts: Partial<Record<keyof AppOptions, string[]>> = {
  auth: ['keys', 'issuer', 'audience', 'accessTokenTtlSeconds', 'refreshTokenTtlSeconds', 'authenticate'],
  couchbase: ['url', 'username', 'password', 'bucket', 'timeoutMs', 'sdk'],
  docs: ['ui', 'theme', 'inHost']
}

/** Throws a SetupError that lists every option that is not what it has to be, or that there is not. */
export function checkOptions (options: AppOptions): void {
  const faults = Object.entries(checks)
    .map(([name, [isRight, what]]) => ({ name, value: options[name as keyof AppOptions], isRight, what })) // the names come from there
    .filter(({ value, isRight }) => value !== undefined && !isRight(value))
    .map(({ name, what }) => `${name} must be ${what}`)
  const unknown = [
    ...unknownNames(options, [...OPTION_NAMES, ...OF_FASTIFY]),
    ...Object.entries(parts).flatMap(([name, known]) => unknownNames(options[name as keyof AppOptions], known, `${name}.`)) // as above
  ]
  if (faults.length + unknown.length > 0) throw new SetupError([...unknown, ...faults].join('; '))
}

/** A host's authenticate may live in an object of a class: only what the object itself has counts. */
function unknownNames (given: unknown, known: string[], prefix = ''): string[] {
  if (typeof given !== 'object' || given === null) return []
  return Object.keys(given).filter((name) => !known.includes(name)).map((name) => `${prefix}${name} is not an option${suggestion(name, known, prefix)}`)
}
