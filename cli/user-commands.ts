import { Type } from '@sinclair/typebox'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { CreateUser, SCOPES, type UpdateUser } from '../schemas/user.js'
import { toFaults } from '../lib/http/validation-faults.js'
import { toStoredUser, toUserChanges } from '../lib/users/user-fields.js'
import type { UserChanges, UserStore } from '../lib/users/user-store.js'
import { createValidatorCompiler } from '../lib/http/validator.js'
import type { Logins } from './logins.js'

export interface UserCommandContext {
  users: UserStore
  /** Asked only when the command needs one, and after everything else was found right. */
  readPassword (): Promise<string>
  /** Called only when the command needs them: they are in MongoDB, also where the users are in Couchbase. */
  openLogins (): Promise<Logins>
}

export interface UserCommandOptions {
  scope?: string[] | undefined
  email?: string | undefined
  fullName?: string | undefined
}

/** A command's words are wrong; the message says how. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly exitStatus = 2
}

/** The rules of the API, in two parts, since the password is asked for last. */
const compile = createValidatorCompiler()
const givenUser = compile({ schema: Type.Omit(CreateUser, ['password']) })
const givenPassword = compile({ schema: Type.Pick(CreateUser, ['password']) })
const givenScopes = compile({ schema: Type.Pick(CreateUser, ['scopes']) })

/** What a fault alone does not tell. */
const hints = new Map<string | undefined, string>([
  ['username', ` (${CreateUser.properties.username.description})`],
  ['scopes', ` (${SCOPES.join(', ')})`]
])

type UserCommand = (context: UserCommandContext, name: string, options: UserCommandOptions) => Promise<string>

/** The commands on one user; each answers what to print. They throw UsageError for wrong words, and Error for what can't be done. */
export const userCommands = {
  add: async ({ users, readPassword }, name, { scope, email, fullName }) => {
    const scopes = [...new Set(scope)]
    const given = { username: name, scopes, ...(email !== undefined && { email }), ...(fullName !== undefined && { full_name: fullName }) }
    check(givenUser, given)
    if (await users.get(name)) throw taken(name)
    const user = { ...given, password: await readNewPassword(readPassword) } as CreateUser // as the two checks found
    if (!await users.create(await toStoredUser(user))) throw taken(name)
    return `User ${name} added${scopes.length > 0 ? `, with ${scopes.join(', ')}` : ', without scopes'}.`
  },

  disable: async ({ users, openLogins }, name) => {
    const logins = await openLogins()
    const text = await change(users, name, { disabled: true }, 'disabled')
    await logins.revokeAll(name)
    return text
  },

  enable: async ({ users }, name) => change(users, name, { disabled: false }, 'enabled'),

  password: async ({ users, readPassword, openLogins }, name) => {
    if (!await users.get(name)) throw unknown(name)
    const changes: UpdateUser = { password: await readNewPassword(readPassword) }
    const logins = await openLogins()
    const text = await change(users, name, await toUserChanges(changes), 'has a new password')
    await end(logins, name)
    return text
  },

  scopes: async ({ users, openLogins }, name, { scope }) => {
    // one that is empty stands for none
    const scopes = scope && [...new Set(scope)].filter(Boolean)
    check(givenScopes, { scopes })
    if (scopes) {
      const logins = await openLogins()
      const text = await change(users, name, { scopes }, `has ${listed(scopes)}`)
      await logins.endTokens(name)
      return text
    }
    const user = await users.get(name)
    if (!user) throw unknown(name)
    return `User ${name} has ${listed([user.scopes ?? []].flat())}.`
  },

  unlock: async ({ users, openLogins }, name) => {
    if (!await users.get(name)) throw unknown(name)
    await (await openLogins()).unlock(name)
    return `User ${name} unlocked.`
  },

  delete: async ({ users, openLogins }, name) => {
    const logins = await openLogins()
    const isThere = await users.delete(name)
    // also where there is no such user: a second try ends what a failure left of the first
    await end(logins, name)
    if (!isThere) throw unknown(name)
    return `User ${name} deleted.`
  }
} satisfies Record<string, UserCommand>

/** One line a user: name, state and scopes. */
export async function listUsers (users: UserStore): Promise<string> {
  const all = await users.list()
  const lines = all.map(({ username, disabled, scopes }) =>
    [username, disabled ? 'disabled' : 'enabled', ...scopes ?? []].join(' '))
  return lines.length > 0 ? lines.sort().join('\n') : 'There are no users.'
}

async function change (users: UserStore, name: string, changes: UserChanges, what: string): Promise<string> {
  if (!await users.update(name, changes)) throw unknown(name)
  return `User ${name} ${what}.`
}

async function end (logins: Logins, name: string): Promise<void> {
  await Promise.all([logins.revokeAll(name), logins.unlock(name)])
}

function listed (scopes: readonly string[]): string {
  return scopes.length > 0 ? scopes.join(', ') : 'no scopes'
}

async function readNewPassword (readPassword: () => Promise<string>): Promise<string> {
  const password = await readPassword()
  check(givenPassword, { password })
  return password
}

/** Throws a UsageError that lists every fault, with nothing of a value. */
function check (validate: ValidateFunction, given: object): void {
  if (validate(given)) return
  const faults = toFaults(validate.errors as ErrorObject[]) // set when it failed
  throw new UsageError(faults.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}${hints.get(pointer.split('/')[1]) ?? ''}`).join('\n'))
}

const taken = (name: string) => new Error(`User ${name} already exists.`)
const unknown = (name: string) => new Error(`There is no user named ${name}.`)
