import t from 'tap'
import { LIMITS } from '../../lib/access/login-limits.js'
import { SCOPES } from '../../schemas/user.js'
import { forge, newcomer, password, secured } from './secured.js'

const admin = () => forge({ claims: { scope: SCOPES.join(' ') } })

interface Line {
  event?: string
  level: number
  msg: string
}

/** The API, its users, and what its log tells of them since it was last asked. */
async function watched (...[t, options]: Parameters<typeof secured>) {
  const lines: Line[] = []
  const texts: string[] = []
  const logger = { level: 'info', stream: { write: (line: string) => { texts.push(line); lines.push(JSON.parse(line)) } } }
  const built = await secured(t, options, { logger, genReqId: () => 'the-id' })
  await built.addUser('alice')
  const told = () => lines.splice(0).filter(({ event }) => event !== undefined)
  return { ...built, told, texts }
}

t.test('each login, refusal, theft and end of a login is one line', async (t) => {
  const { logIn, refresh, form, told } = await watched(t)
  const beside = { ip: '127.0.0.1', reqId: 'the-id' }
  const login = (await logIn('alice', { scope: 'students:read' })).json()
  t.match(told(), [{ level: 30, event: 'login', username: 'alice', by: 'alice', scopes: ['students:read'], ...beside, msg: 'a user logged in' }])
  await logIn('alice', { password: 'wrong' })
  t.match(told(), [{ level: 40, event: 'login.refused', username: 'alice', reason: 'credentials', ...beside }])
  const next = (await refresh(login.refresh_token)).json()
  await refresh(next.refresh_token)
  t.strictSame(told(), [], 'a refresh goes on with a login')
  await refresh(login.refresh_token)
  t.match(told(), [{ level: 40, event: 'token.reused', username: 'alice', ...beside }])
  await form('/revoke', { token: (await logIn('alice')).json().refresh_token })
  t.match(told(), [{ event: 'login' }, { level: 30, event: 'token.revoked', username: 'alice', ...beside }])
  for (let count = 0; count < LIMITS.account; count++) await logIn('alice', { password: 'wrong' })
  told()
  await logIn('alice')
  t.match(told(), [{ event: 'login.refused', username: 'alice', reason: 'limit' }])
})

t.test('each change of a user and of rights is a line, with who made it', async (t) => {
  const { send, tokenOf, told } = await watched(t)
  const events = async (method: 'POST' | 'PUT' | 'DELETE', path: string, payload?: object, token = admin()) => {
    await send(method, path, token, payload)
    return told()
  }
  const whose = { username: 'newcomer', by: 'caller', ip: '127.0.0.1', reqId: 'the-id', level: 30 }
  t.match(await events('POST', '/users/', { ...newcomer, scopes: ['users:read'] }), [{ event: 'user.created', scopes: ['users:read'], ...whose }])
  t.strictSame(await events('POST', '/users/', newcomer), [], 'what was refused changed nothing')
  t.match(await events('PUT', '/users/newcomer', { scopes: [], password: 'a third one', disabled: false }), [
    { event: 'password.changed', ...whose }, { event: 'scopes.changed', scopes: [], ...whose }, { event: 'user.changed', ...whose }
  ])
  t.strictSame(await events('PUT', '/users/newcomer', {}), [])
  t.match(await events('DELETE', '/users/newcomer'), [{ event: 'user.deleted', ...whose }])
  t.strictSame(await events('DELETE', '/users/newcomer'), [])
  const own = await tokenOf('alice')
  told()
  t.match(await events('PUT', '/users/me/password', { current_password: 'wrong', new_password: 'another one' }, own), [{ event: 'password.refused', username: 'alice', reason: 'credentials', level: 40 }])
  t.match(await events('PUT', '/users/me/password', { current_password: password, new_password: 'another one' }, own), [{ event: 'password.changed', username: 'alice', by: 'alice' }])
  t.match(await events('DELETE', '/users/alice', undefined, forge({ claims: { scope: 'users:read' } })), [{ event: 'scope.missing', by: 'caller', scope: 'users:write', level: 40 }])
  t.match(await events('DELETE', '/users/alice', undefined, forge({ claims: { scope: 'users:write' } })), [{ event: 'scope.missing', by: 'caller', scope: /students:read/ }])
})

t.test('no line has what may be a secret: a password, a token, or what was typed as a name', async (t) => {
  const { logIn, refresh, send, form, told, texts } = await watched(t)
  const login = (await logIn('alice')).json()
  await refresh(login.refresh_token)
  await logIn('hunter2', { password: 'hunter3' })
  await logIn('Hunter 4', { password: 'hunter5' })
  t.match(told().slice(-2), [{ event: 'login.refused', reason: 'credentials' }, { event: 'login.refused', reason: 'credentials' }])
  await send('PUT', '/users/me/password', login.access_token, { current_password: password, new_password: 'hunter 6' })
  await form('/revoke', { token: login.refresh_token })
  await send('GET', '/users/me', login.access_token)
  const text = texts.join('')
  t.notMatch(text, /hunter/i)
  for (const secret of [password, login.refresh_token, login.access_token, ...login.refresh_token.split('.')]) t.notOk(text.includes(secret))
})
