import { createHash, createHmac, sign } from 'node:crypto'
import type { FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import type { AppOptions } from '../../app.js'
import { keyId } from '../../lib/access/access-tokens.js'
import { hashPassword } from '../../lib/access/passwords.js'
import { documentId } from '../../lib/users/user-store.js'
import { SCOPES, USERPROFILE_DOC_TYPE, type StoredUser } from '../../schemas/user.js'
import { build } from '../build.js'

/** A key of the right length, and no other use. */
export const key = createHash('sha256').update('the key of these tests').digest('base64')

export const password = 'correct horse'

/** A user who can be created. */
export const newcomer = { username: 'newcomer', password: 'battery staple' }

const issuer = 'student-course-api'

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'QUERY'

interface UserDocument extends StoredUser {
  _id: string
}

/** The API with access control, and what a client of it does. */
export async function secured (t: Test, options: AppOptions = {}, server: FastifyServerOptions = {}) {
  const built = await build(t, { auth: { keys: [key] }, ...options }, server)
  const { app, database } = built
  const users = database.collection<UserDocument>('users')
  // whose tokens `forge` makes
  await users.insertOne({ _id: documentId('caller'), username: 'caller', scopes: [...SCOPES] })

  /** Stores a user past the API, with the password of these tests. */
  const addUser = async (username: string, changes: Partial<StoredUser> & Record<string, unknown> = {}) => {
    const user = {
      username, type: USERPROFILE_DOC_TYPE, disabled: false, scopes: [...SCOPES], hashed_password: await hashPassword(password), ...changes
    }
    await users.insertOne({ _id: documentId(username), ...user })
    return user
  }
  const form = (url: string, parameters: Record<string, string> | string, remoteAddress = '127.0.0.1') => app.inject({
    method: 'POST',
    url,
    remoteAddress,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(parameters).toString()
  })
  const logIn = (username: string, parameters = {}, remoteAddress?: string) =>
    form('/token', { grant_type: 'password', username, password, ...parameters }, remoteAddress)
  const refresh = (refreshToken: string, parameters = {}) =>
    form('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...parameters })
  /** An access token by the password. */
  const tokenOf = async (username: string): Promise<string> => (await logIn(username)).json().access_token
  const send = (method: Method, url: string, token?: string, payload?: unknown) => app.inject({
    method,
    url,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(payload !== undefined && { 'content-type': 'application/json' }) },
    ...(payload !== undefined && { payload: JSON.stringify(payload) })
  })
  return { ...built, users, addUser, form, logIn, refresh, tokenOf, send }
}

/** An access token as the API would sign it, by other means and changed as given; undefined leaves a claim out. */
export function forge (changes: { header?: object, claims?: object, key?: string, algorithm?: 'HS256' | 'HS512' | 'RS256' } = {}): string {
  const { algorithm = 'HS256', key: secret = key } = changes
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: algorithm, typ: 'at+jwt', kid: keyId(key), ...changes.header }
  const claims = { iss: issuer, aud: issuer, sub: 'caller', scope: 'students:read', jti: '1', iat: now, exp: now + 60, ...changes.claims }
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const hash = `sha${algorithm.slice(2)}`
  const signature = algorithm === 'RS256' ? sign(hash, Buffer.from(input), secret) : createHmac(hash, secret).update(input).digest()
  return `${input}.${signature.toString('base64url')}`
}
