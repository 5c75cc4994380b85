import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { type Config, couchbaseOptionsOf, databaseOptionsOf } from '../config.js'
import { connect, hosts } from '../lib/mongodb/connect.js'
import { copyStore } from './copy-store.js'
import type { ResolvedDatabase } from '../lib/mongodb/database-options.js'
import { exportFile } from './export.js'
import { importFile } from './import.js'
import { runIndexes } from './indexes.js'
import { openLogins } from './logins.js'
import { readSecret } from './prompt.js'
import { configOf, type Surroundings, withApp } from './surroundings.js'
import { listUsers, UsageError, userCommands } from './user-commands.js'
import couchbaseUsers from '../plugins/couchbase.js'
import mongodb from '../plugins/mongodb.js'
import mongoUsers from '../plugins/users.js'
import { student } from '../schemas/student.js'
import { SCOPES } from '../schemas/user.js'

const USAGE = `Usage:
  student-course-api                      starts the server
  student-course-api users add NAME [--scope SCOPE]... [--email EMAIL] [--full-name TEXT]
  student-course-api users list
  student-course-api users disable NAME
  student-course-api users enable NAME
  student-course-api users password NAME
  student-course-api users scopes NAME [--scope SCOPE]...     shows the scopes of a user, or sets them
  student-course-api users unlock NAME    ends a lock after failed logins
  student-course-api users delete NAME
  student-course-api backup FOLDER        copies the embedded store, also while the server runs
  student-course-api check [PATH]         looks for damage in the embedded store or in a backup
  student-course-api copy --to URL        copies students and users of the embedded store into a MongoDB server
  student-course-api indexes [--create]   lists the indexes that lists need and the database lacks, or creates them
  student-course-api import FILE [--format FORMAT] [--on-error stop|continue] [--dry-run] [--key KEY] [--resource NAME] [--url URL] [--token -]
  student-course-api export FILE [--format FORMAT] [--excel] [--query QUERY] [--force] [--resource NAME] [--url URL] [--token -]

FILE is CSV (.csv) or NDJSON (.ndjson, .jsonl), or - for standard input or output, which is NDJSON. FORMAT, csv or ndjson, overrides that.
Without --url, import and export work on the configured store, also while the server runs.
SCOPE is one of ${SCOPES.join(', ')}.
A password comes from a prompt, or from the first line of standard input. With --to -, so does URL, and with --token - the access token.`

const options = {
  scope: { type: 'string', multiple: true },
  email: { type: 'string' },
  'full-name': { type: 'string' },
  to: { type: 'string' },
  create: { type: 'boolean' },
  format: { type: 'string' },
  resource: { type: 'string' },
  url: { type: 'string' },
  token: { type: 'string' },
  'on-error': { type: 'string' },
  'dry-run': { type: 'boolean' },
  key: { type: 'string' },
  excel: { type: 'boolean' },
  query: { type: 'string' },
  force: { type: 'boolean' }
} as const

type Words = ReturnType<typeof parse>

interface Command {
  run: (words: Words, surroundings: Surroundings) => Promise<string | undefined>
  /** Its options; any other one is a mistake. */
  takes: readonly (keyof typeof options)[]
}

/** What import and export both take. */
const bulk = ['format', 'resource', 'url', 'token'] as const

const commands = new Map<string, Command>([
  ['users', { run: runUsers, takes: ['scope', 'email', 'full-name'] }],
  ['backup', { run: runBackup, takes: [] }],
  ['check', { run: runCheck, takes: [] }],
  ['copy', { run: runCopy, takes: ['to'] }],
  ['indexes', { run: runIndexesOf, takes: ['create'] }],
  ['import', { run: onFile(importFile), takes: [...bulk, 'on-error', 'dry-run', 'key'] }],
  ['export', { run: onFile(exportFile), takes: [...bulk, 'excel', 'query', 'force'] }]
])

/** Runs one command of the command line; answers the exit status of the process. */
export async function main (args: string[], surroundings: Surroundings): Promise<number> {
  try {
    const text = await run(args, surroundings)
    // where a file goes to standard output, nothing else does
    if (text !== undefined) surroundings.stdout.write(`${text}\n`)
    return 0
  } catch (error) {
    const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
    surroundings.stderr.write(`${message}\n`)
    return exitStatus
  }
}

async function run (args: string[], surroundings: Surroundings): Promise<string | undefined> {
  const words = parse(args)
  const command = commands.get(words.noun)
  if (!command || Object.keys(words.values).some((name) => !command.takes.some((taken) => taken === name))) throw new UsageError(USAGE)
  return command.run(words, surroundings)
}

async function runUsers ({ rest: [verb = '', name, ...more], values }: Words, surroundings: Surroundings): Promise<string> {
  const command = Object.hasOwn(userCommands, verb) ? userCommands[verb] : undefined
  const isList = verb === 'list' && name === undefined
  if (more.length > 0 || (!isList && (!command || name === undefined))) throw new UsageError(USAGE)
  return withApp(surroundings, async (app, config) => {
    await openUsers(app, config)
    const context = { users: app.users, readPassword: () => ask('Password', surroundings), openLogins: async () => openLogins(app, config) }
    return command && name !== undefined ? command(context, name, values) : listUsers(app.users)
  })
}

async function runBackup ({ rest: [folder, ...more] }: Words, { env }: Surroundings): Promise<string> {
  if (folder === undefined || more.length > 0) throw new UsageError(USAGE)
  const { MONGODB_URL, DATA_DIR } = configOf(env)
  if (MONGODB_URL) throw new UsageError('backup is for the embedded store; a MongoDB server has mongodump.')
  const { backup } = await import('../embedded/index.js')
  const file = await backup(DATA_DIR, folder)
  return `The store in ${DATA_DIR} is in ${file}. To restore it, stop the server and put that file in place of the one in ${DATA_DIR}.`
}

async function runCheck ({ rest: [path, ...more] }: Words, { env }: Surroundings): Promise<string> {
  if (more.length > 0) throw new UsageError(USAGE)
  const { check } = await import('../embedded/index.js')
  const { path: file, documents, hasChecksums } = await check(path ?? configOf(env).DATA_DIR)
  return `${file} is sound: ${documents} documents.${hasChecksums ? '' : ' It is of an older format, whose values have no checksums yet: only its structure was checked.'}`
}

async function runCopy ({ rest, values: { to } }: Words, surroundings: Surroundings): Promise<string> {
  if (rest.length > 0 || to === undefined) throw new UsageError(USAGE)
  return withApp(surroundings, async (app, config) => {
    const { MONGODB_URL, MONGODB_DATABASE } = config
    if (MONGODB_URL) throw new UsageError('copy is for the embedded store; a MongoDB server has mongodump and mongorestore.')
    const url = to === '-' ? await ask('URL', surroundings) : to
    const target = await connect(url)
    try {
      await app.register(mongodb, await databaseOptionsOf(config))
      const copied = await copyStore(app.mongo.client.db(MONGODB_DATABASE), target.db(MONGODB_DATABASE), surroundings.stderr)
      return `${copied}\nSet MONGODB_URL to go on with ${hosts(url)}.`
    } finally {
      await target.close()
    }
  })
}

async function runIndexesOf ({ rest, values: { create = false } }: Words, surroundings: Surroundings): Promise<string> {
  if (rest.length > 0) throw new UsageError(USAGE)
  return withApp(surroundings, async (app, config) => {
    await app.register(mongodb, await databaseOptionsOf(config))
    return runIndexes(app.mongo.client.db(config.MONGODB_DATABASE), [student], { isCreating: create, output: surroundings.stderr })
  })
}

function onFile (work: (file: string, values: Words['values'], surroundings: Surroundings) => Promise<string | undefined>): Command['run'] {
  return async ({ rest: [file, ...more], values }, surroundings) => {
    if (file === undefined || more.length > 0) throw new UsageError(USAGE)
    return work(file, values, surroundings)
  }
}

async function openUsers (app: FastifyInstance, config: Config): Promise<void> {
  const couchbase = couchbaseOptionsOf(config)
  if (couchbase) await app.register(couchbaseUsers, couchbase)
  else await openMongoUsers(app, await databaseOptionsOf(config))
}

async function openMongoUsers (app: FastifyInstance, database: ResolvedDatabase): Promise<void> {
  await app.register(mongodb, database)
  await app.register(mongoUsers, database)
}

/** What must not stand in the process's arguments, where others can read it. */
function ask (what: string, { stdin, stderr }: Surroundings): Promise<string> {
  return readSecret(what, { input: stdin, output: stderr })
}

function parse (args: string[]) {
  try {
    const { positionals: [noun = '', ...rest], values } = parseArgs({ args, options, allowPositionals: true })
    return { noun, rest, values }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`) // parseArgs throws errors only
  }
}
