import t from 'tap'
import { SCOPES } from '../../schemas/user.js'
import { janeDoe, unknownId } from '../samples.js'
import { forge, newcomer, secured } from './secured.js'

/** Every route that asks for a scope: a request that gets past it, and the scope. */
const guarded: ['GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'QUERY', string, string, unknown?][] = [
  ['GET', '/students', 'students:read'],
  ['GET', '/students/', 'students:read'],
  ['HEAD', '/students/', 'students:read'],
  ['QUERY', '/students', 'students:read', {}],
  ['QUERY', '/students/', 'students:read', {}],
  ['POST', '/students', 'students:write', janeDoe],
  ['POST', '/students/', 'students:write', janeDoe],
  ['POST', '/students/batch', 'students:write', { operations: [{ op: 'delete', id: unknownId }] }],
  ['POST', '/students/import', 'students:write', janeDoe],
  ['GET', '/students/export', 'students:read'],
  ['HEAD', '/students/export', 'students:read'],
  ['GET', `/students/${unknownId}`, 'students:read'],
  ['HEAD', `/students/${unknownId}`, 'students:read'],
  ['PUT', `/students/${unknownId}`, 'students:write', janeDoe],
  ['PATCH', `/students/${unknownId}`, 'students:write', janeDoe],
  ['DELETE', `/students/${unknownId}`, 'students:write'],
  ['GET', '/users/bob', 'users:read'],
  ['HEAD', '/users/bob', 'users:read'],
  ['GET', '/users', 'users:read'],
  ['GET', '/users/', 'users:read'],
  ['HEAD', '/users/', 'users:read'],
  ['POST', '/users', 'users:write', { ...newcomer, username: 'one' }],
  ['POST', '/users/', 'users:write', { ...newcomer, username: 'two' }],
  ['PUT', '/users/bob', 'users:write', { full_name: 'Bob' }],
  ['DELETE', '/users/nobody', 'users:write']
]

/** What answers without a token: documentation, and what gives tokens. */
const open = ['/docs', '/openapi.json', '/token', '/revoke']

t.test('every route needs its scope and no other', async (t) => {
  const { send, addUser } = await secured(t)
  await addUser('bob', { scopes: [] })
  for (const [method, url, scope, body] of guarded) {
    const name = `${method} ${url}`
    const bare = await send(method, url, undefined, body)
    t.equal(bare.statusCode, 401, name)
    t.equal(bare.headers['www-authenticate'], 'Bearer realm="Student Course API"', 'and no code, since no token came')

    const others = SCOPES.filter((other) => other !== scope).join(' ')
    const lacking = await send(method, url, forge({ claims: { scope: others } }), body)
    t.equal(lacking.statusCode, 403, name)
    t.equal(lacking.headers['www-authenticate'], `Bearer realm="Student Course API", error="insufficient_scope", scope="${scope}"`)
    if (method !== 'HEAD') t.match(lacking.json(), { status: 403, detail: `This requires the scope ${scope}.` })

    const { statusCode } = await send(method, url, forge({ claims: { scope } }), body)
    // an import is of another media type
    t.ok([200, 201, 207, 404, 415].includes(statusCode), `${name} is ${statusCode} with ${scope} alone`)
  }
})

t.test('no route is without a rule but those that are open', async (t) => {
  const { app } = await secured(t)
  const { paths, components } = (await app.inject({ url: '/openapi.json' })).json()
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, { security?: object[] }>).map(([method, operation]) => ({ path, method, operation })))
  for (const { path, method, operation } of routes) {
    t.equal(operation.security === undefined, open.includes(path), `${method} ${path}`)
  }
  t.equal(routes.length, guarded.filter(([method, url]) => method !== 'HEAD' && method !== 'QUERY' && !/^\/(students|users)$/.test(url)).length + open.slice(2).length + 2, 'with /users/me and /users/me/password')
  t.match(components.securitySchemes.access, { type: 'oauth2', flows: { password: { tokenUrl: '/token', refreshUrl: '/token', scopes: Object } } })
  t.strictSame(Object.keys(components.securitySchemes.access.flows.password.scopes), [...SCOPES])
  t.strictSame(paths['/students/'].post.security, [{ access: ['students:write'] }])
  t.strictSame(paths['/users/{username}'].get.security, [{ access: ['users:read'] }, { access: [] }])
  const { $ref } = paths['/students/'].post.responses['403']
  t.ok(components.responses[$ref.split('/').at(-1)].headers['WWW-Authenticate'])
})

t.test('without access control nothing asks for a token, and users are only read', async (t) => {
  const { app, send } = await secured(t, { auth: undefined })
  const { paths, components } = (await app.inject({ url: '/openapi.json' })).json()
  t.strictSame(Object.keys(paths).sort(), ['/students/', '/students/batch', '/students/export', '/students/import', '/students/{id}', '/users/{username}'])
  t.equal(components.securitySchemes, undefined)
  t.equal(paths['/students/'].get.security, undefined)
  t.equal((await send('GET', '/students/')).statusCode, 200)
  t.equal((await send('POST', '/token')).statusCode, 404)
  t.equal((await send('POST', '/users/', undefined, newcomer)).statusCode, 405)
  t.equal((await send('PUT', '/users/bob', undefined, {})).statusCode, 405)
  t.equal((await send('DELETE', '/users/bob')).statusCode, 405)
  t.equal((await send('PUT', '/users/me/password', undefined, {})).statusCode, 404)
  t.equal((await send('GET', '/users/me')).statusCode, 422, 'me is no name')
})

t.test('neither the hash of a password nor the type of a profile is in any answer', async (t) => {
  const { addUser, send, logIn, refresh, form } = await secured(t)
  const { hashed_password: hashed } = await addUser('bob')
  const token = forge({ claims: { scope: SCOPES.join(' ') } })
  const login = await logIn('bob')
  const answers = [
    ...await Promise.all(guarded.map(([method, url, , body]) => send(method, url, token, body))),
    await send('GET', '/users/me', forge({ claims: { sub: 'bob' } })),
    await send('PUT', '/users/bob', token, { password: 'battery staple', type: 'userprofile', hashed_password: 'x' }),
    await send('POST', '/users/', token, { ...newcomer, username: 'bob' }),
    login,
    await refresh(login.json().refresh_token),
    await logIn('bob', { password: 'wrong' }),
    await form('/revoke', { token: 'x' })
  ]
  for (const { body, headers, raw } of answers) {
    const text = `${body}${JSON.stringify(headers)}`
    t.notMatch(text, /argon2|userprofile|hashed|"type":"user/, `${raw.req.method} ${raw.req.url}`)
    t.notOk(text.includes(hashed.slice(-20)))
  }
})
