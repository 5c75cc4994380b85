import type { FastifyInstance } from 'fastify'
import { type Config, couchbaseOptionsOf, databaseOptionsOf } from '../config.js'
import type { ResolvedDatabase } from '../lib/mongodb/database-options.js'
import couchbaseUsers from '../plugins/couchbase.js'
import mongodb from '../plugins/mongodb.js'
import mongoUsers from '../plugins/users.js'
import { openLogins } from './logins.js'
import { ask } from './prompt.js'
import { type Surroundings, withApp } from './surroundings.js'
import { listUsers, userCommands, type UserCommandOptions } from './user-commands.js'

/** Runs a command on one user, where the configuration says that users are; answers what to print. */
export async function runUserCommand (verb: keyof typeof userCommands, name: string, options: UserCommandOptions, surroundings: Surroundings): Promise<string> {
  return withApp(surroundings, async (app, config) => {
    await openUsers(app, config)
    return userCommands[verb]({ users: app.users, readPassword: async () => ask('Password', surroundings), openLogins: async () => openLogins(app, config) }, name, options)
  })
}

/** Lists all users; answers what to print. */
export async function runUserList (surroundings: Surroundings): Promise<string> {
  return withApp(surroundings, async (app, config) => {
    await openUsers(app, config)
    return listUsers(app.users)
  })
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
