#!/usr/bin/env node
import { parseArgs } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, readEnvFile, type Config } from './config.js'
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

SCOPE is one of ${SCOPES.join(', ')}.
A password comes from a prompt, or from the first line of standard input.`

const options = { scope: { type: 'string', multiple: true }, email: { type: 'string' }, 'full-name': { type: 'string' } } as const

try {
  if (process.argv.length === 2) await import('./server.js')
  else console.log(await run())
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exitCode = exitStatus
}

async function run (): Promise<string> {
  const { noun, verb, name, values } = parse()
  const command = userCommands[verb]
  const isList = verb === 'list' && name === undefined
  if (noun !== 'users' || (!isList && (!command || name === undefined))) throw new UsageError(USAGE)
  readEnvFile()
  const app = Fastify()
  try {
    await openUsers(app, loadConfig(process.env))
    const context = { users: app.users, readPassword: () => readSecret('Password', { input: process.stdin, output: process.stderr }) }
    return await (command && name !== undefined ? command(context, name, values) : listUsers(app.users))
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

function parse () {
  try {
    const { positionals: [noun, verb = '', name, ...rest], values } = parseArgs({ options, allowPositionals: true })
    if (rest.length > 0) throw new Error('Too many words.')
    return { noun, verb, name, values }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`) // parseArgs throws errors only
  }
}
