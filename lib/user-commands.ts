import { PASSWORD_LENGTH, SCOPES, USERPROFILE_DOC_TYPE, Username, type StoredUser } from '../schemas/user.js'
import { newPassword } from './passwords.js'
import { isUsername, type UserChanges, type UserStore } from './user-store.js'

export interface UserCommandContext {
  users: UserStore
  /** Asked only when the command needs one, and after everything else was found right. */
  readPassword (): Promise<string>
}

export interface UserCommandOptions {
  scope?: string[] | undefined
  email?: string | undefined
  'full-name'?: string | undefined
}

/** A command's words are wrong; the message says how. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly exitStatus = 2
}

type UserCommand = (context: UserCommandContext, name: string, options: UserCommandOptions) => Promise<string>

/** The commands on one user; each answers what to print. They throw UsageError for wrong words, and Error for what can't be done. */
export const userCommands: Record<string, UserCommand> = {
  add: async ({ users, readPassword }, name, options) => {
    checkUsername(name)
    const scopes = checkScopes(options.scope ?? [])
    if (await users.get(name)) throw taken(name)
    const user: StoredUser = {
      type: USERPROFILE_DOC_TYPE,
      username: name,
      ...(options.email !== undefined && { email: options.email }),
      ...(options['full-name'] !== undefined && { full_name: options['full-name'] }),
      disabled: false,
      scopes,
      ...await readNewPassword(readPassword)
    }
    if (!await users.create(user)) throw taken(name)
    return `User ${name} added${scopes.length > 0 ? `, with ${scopes.join(', ')}` : ', without scopes'}.`
  },

  disable: async ({ users }, name) => change(users, name, { disabled: true }, 'disabled'),

  enable: async ({ users }, name) => change(users, name, { disabled: false }, 'enabled'),

  password: async ({ users, readPassword }, name) => {
    if (!await users.get(name)) throw unknown(name)
    return change(users, name, await readNewPassword(readPassword), 'has a new password')
  }
}

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

async function readNewPassword (readPassword: () => Promise<string>) {
  const password = await readPassword()
  const { minimum, maximum } = PASSWORD_LENGTH
  if (password.length < minimum || password.length > maximum) {
    throw new UsageError(`A password has ${minimum} to ${maximum} characters.`)
  }
  return newPassword(password)
}

function checkUsername (name: string): void {
  if (!isUsername(name)) throw new UsageError(`${name} is no name for a user. ${Username.description}`)
}

function checkScopes (scopes: string[]): string[] {
  for (const scope of scopes) {
    if (!(SCOPES as readonly string[]).includes(scope)) throw new UsageError(`${scope} is no scope; there are ${SCOPES.join(', ')}.`)
  }
  return [...new Set(scopes)]
}

const taken = (name: string) => new Error(`There is a user ${name} already.`)
const unknown = (name: string) => new Error(`There is no user ${name}.`)
