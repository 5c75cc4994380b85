/** What is told of who did what to whose account: each event with its level and its words. */
const EVENTS = {
  login: ['info', 'a user logged in'],
  'login.refused': ['warn', 'a login was refused'],
  'token.revoked': ['info', 'a login was ended'],
  'token.reused': ['warn', 'a refresh token was used twice: its family is revoked'],
  'user.created': ['info', 'a user was created'],
  'user.changed': ['info', 'a user was changed'],
  'user.deleted': ['info', 'a user was deleted'],
  'password.changed': ['info', 'a user has a new password'],
  'password.refused': ['warn', 'a new password was refused'],
  'scopes.changed': ['info', 'a user has other scopes'],
  'scope.missing': ['warn', 'a request lacked a scope']
} as const

export type AuditEvent = keyof typeof EVENTS

/** What a line says beside its event and the client's address; never a password or a token. */
export interface AuditFields {
  /** Whose account it is. Of a login that was refused only the name of a user who exists: anything else typed there may be a password. */
  username?: string | undefined
  /** Who did it, where that is known. */
  by?: string | undefined
  /** Why it was refused. */
  reason?: 'credentials' | 'limit'
  /** The scopes that a login or a user now has. */
  scopes?: readonly string[]
  /** The scope that was missing. */
  scope?: string
}

/** The request: its log adds the request's id to the line. */
interface Request {
  ip: string
  log: Record<'info' | 'warn', (fields: object, message: string) => void>
}

/** Writes the one line of an event. */
export function audit ({ ip, log }: Request, event: AuditEvent, fields: AuditFields): void {
  const [level, message] = EVENTS[event]
  log[level]({ event, ...fields, ip }, message)
}
