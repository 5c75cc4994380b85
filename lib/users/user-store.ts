import type { ListQuery, Page } from '../query/list-query.js'
import { Username, USERPROFILE_DOC_TYPE, type StoredUser, type User } from '../../schemas/user.js'

/** What changes of a stored user: a field that is undefined stays. */
export type UserChanges = Partial<Omit<StoredUser, 'username' | 'type'>>

/**
 * Where user profiles live, in MongoDB or in Couchbase. A store that can't serve throws StoreUnavailableError.
 * Both keep a profile as one document under the id of `documentId`.
 */
export interface UserStore {
  /** The profile as it is stored, also one without `type`; undefined where there is none. */
  get(username: string): Promise<StoredUser | undefined>
  /** Stores a new profile; false where there is one by that name, which stays as it is. */
  create(user: StoredUser): Promise<boolean>
  /** All profiles, in no certain order. */
  list(): Promise<StoredUser[]>
  /** A page of the profiles that meet a query. A store without it has lists without parameters. */
  page?(query: ListQuery): Promise<Page<StoredUser>>
  /**
   * Changes the given fields and leaves the others, in one step with the check of the condition; false where there is no such
   * profile, or where it does not meet the condition.
   */
  update(username: string, changes: UserChanges, condition?: UserCondition): Promise<boolean>
  /** Removes the profile, in one step with the check of the condition; false as above. */
  delete(username: string, condition?: UserCondition): Promise<boolean>
}

/** What has to be true of a stored profile when it is changed or removed. */
export interface UserCondition {
  /** The hash that it has. */
  hashed_password?: string
  /** Scopes that it has none of. */
  lacks?: readonly string[]
}

const USERNAME = new RegExp(String(Username.pattern))

/** Whether this can be the name of a user. */
export function isUsername (text: string): boolean {
  return USERNAME.test(text)
}

/** Other software may have stored `disabled` as another type: what does not say no is yes. */
export function isDisabled ({ disabled }: StoredUser): boolean {
  return Boolean(disabled)
}

/** Those of the known scopes that a stored user has; a value that is not a list counts for nothing. */
export function scopesOf ({ scopes }: Pick<StoredUser, 'scopes'>, known: readonly string[]): string[] {
  return known.filter((scope) => Array.isArray(scopes) && scopes.includes(scope))
}

/** For a store that reads a profile before it writes it. */
export function meets (user: StoredUser, { hashed_password: hash, lacks = [] }: UserCondition): boolean {
  return (hash === undefined || user.hashed_password === hash) && scopesOf(user, lacks).length === 0
}

/** The document id of a user's profile. */
export function documentId (username: string): string {
  return `${USERPROFILE_DOC_TYPE}::${username}`
}

/**
 * The profile of a user as it may be shown: absent fields and such of another type are null. It knows no HTTP.
 * Neither the hash of the password nor the document's type is part of it.
 * @param known the scopes that there are, where those of the user are shown
 */
export async function getUser (store: UserStore, username: string, known?: readonly string[]): Promise<User | undefined> {
  const stored = await store.get(username)
  return stored && shownUser(username, stored, known)
}

/** The same of a profile that was read. */
export function shownUser (username: string, stored: Partial<StoredUser>, known?: readonly string[]): User {
  const { email, full_name: fullName, disabled } = stored
  return {
    username,
    email: typeof email === 'string' ? email : null,
    full_name: typeof fullName === 'string' ? fullName : null,
    disabled: typeof disabled === 'boolean' ? disabled : null,
    ...known && { scopes: scopesOf(stored, known) }
  }
}
