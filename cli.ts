#!/usr/bin/env node
import { parseArgs } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, readEnvFile, type Config } from './config.js'
import { connect, hosts } from './lib/connect.js'
import { copyStore } from './lib/copy-store.js'
import { readSecret } from './lib/prompt.js'
import { couchbaseOf, storeOf } from './lib/store-of.js'
import { listUsers, UsageError, userCommands } from './lib/user-commands.js'
import couchbaseUsers from './plugins/couchbase.js'
import mongodb from './plugins/mongodb.js'
import mongoUsers from './plugins/users.js'
import { SCOPES } from './schemas/user.js'

const USAGE = `Usage:
  student-course-api                      starts the server
  student-course-api users add NAME [--scope SCOPE]... [--email EMAIL] [--full-name TEXT]
  student-course-api users list
  student-course-api users disable NAME
  student-course-api users enable NAME
  student-course-api users password NAME
  student-course-api backup FOLDER        copies the embedded store, also while the server runs
  student-course-api check [PATH]         looks for damage in the embedded store or in a backup
  student-course-api copy --to URL        copies students and users of the embedded store into a MongoDB server

SCOPE is one of ${SCOPES.join(', ')}.
A password comes from a prompt, or from the first line of standard input. With --to -, so does URL.`

const options = {
  scope: { type: 'string', multiple: true }, email: { type: 'string' }, 'full-name': { type: 'string' }, to: { type: 'string' }
} as const

type Words = ReturnType<typeof parse>

const commands: Record<string, (words: Words) => Promise<string>> = { users: runUsers, backup: runBackup, check: runCheck, copy: runCopy }

try {
  if (process.argv.length === 2) await import('./server.js')
  else console.log(await run())
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exitCode = exitStatus
}

async function run (): Promise<string> {
  const words = parse()
  const command = commands[words.noun]
  if (!command) throw new UsageError(USAGE)
  return command(words)
}

async function runUsers ({ rest: [verb = '', name, ...more], values: { to, ...values } }: Words): Promise<string> {
  const command = userCommands[verb]
  const isList = verb === 'list' && name === undefined
  if (more.length > 0 || to !== undefined || (!isList && (!command || name === undefined))) throw new UsageError(USAGE)
  return withApp(async (app, config) => {
    await openUsers(app, config)
    const context = { users: app.users, readPassword: () => ask('Password') }
    return command && name !== undefined ? command(context, name, values) : listUsers(app.users)
  })
}

async function runBackup ({ rest: [folder, ...more], values }: Words): Promise<string> {
  if (folder === undefined || more.length > 0 || Object.keys(values).length > 0) throw new UsageError(USAGE)
  readEnvFile()
  const { MONGODB_URL, DATA_DIR } = loadConfig(process.env)
  if (MONGODB_URL) throw new UsageError('backup is for the embedded store; a MongoDB server has mongodump.')
  const { backup } = await import('./embedded/index.js')
  const file = await backup(DATA_DIR, folder)
  return `The store in ${DATA_DIR} is in ${file}. To restore it, stop the server and put that file in place of the one in ${DATA_DIR}.`
}

async function runCheck ({ rest: [path, ...more], values }: Words): Promise<string> {
  if (more.length > 0 || Object.keys(values).length > 0) throw new UsageError(USAGE)
  readEnvFile()
  const { check } = await import('./embedded/index.js')
  const { path: file, documents, hasChecksums } = await check(path ?? loadConfig(process.env).DATA_DIR)
  return `${file} is sound: ${documents} documents.${hasChecksums ? '' : ' It is of an older format, whose values have no checksums yet: only its structure was checked.'}`
}

async function runCopy ({ rest, values: { to, ...more } }: Words): Promise<string> {
  if (rest.length > 0 || to === undefined || Object.keys(more).length > 0) throw new UsageError(USAGE)
  return withApp(async (app, config) => {
    const { MONGODB_URL, MONGODB_DATABASE } = config
    if (MONGODB_URL) throw new UsageError('copy is for the embedded store; a MongoDB server has mongodump and mongorestore.')
    const url = to === '-' ? await ask('URL') : to
    const target = await connect(url)
    try {
      await app.register(mongodb, await storeOf(config))
      const copied = await copyStore(app.mongo.client.db(MONGODB_DATABASE), target.db(MONGODB_DATABASE), process.stderr)
      return `${copied}\nSet MONGODB_URL to go on with ${hosts(url)}.`
    } finally {
      await target.close()
    }
  })
}

/** Runs a command with the configuration of the server, and closes after it what it opened in the app. */
async function withApp (command: (app: FastifyInstance, config: Config) => Promise<string>): Promise<string> {
  readEnvFile()
  const app = Fastify()
  try {
    return await command(app, loadConfig(process.env))
  } finally {
    await app.close()
  }
}

async function openUsers (app: FastifyInstance, config: Config): Promise<void> {
  const couchbase = couchbaseOf(config)
  if (couchbase) {
    await app.register(couchbaseUsers, couchbase)
    return
  }
  const database = await storeOf(config)
  await app.register(mongodb, database)
  await app.register(mongoUsers, database)
}

/** What must not stand in the process's arguments, where others can read it. */
function ask (what: string): Promise<string> {
  return readSecret(what, { input: process.stdin, output: process.stderr })
}

function parse () {
  try {
    const { positionals: [noun = '', ...rest], values } = parseArgs({ options, allowPositionals: true })
    return { noun, rest, values }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`) // parseArgs throws errors only
  }
}
