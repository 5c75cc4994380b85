import t from 'tap'
import { launch, listening, runCli } from '../launch.js'
import { janeDoe } from '../samples.js'

t.test('with READ_ONLY=on the server answers reads and logins, and no write', async (t) => {
  const DATA_DIR = t.testdir()
  const env = { DATA_DIR, AUTH: 'on', JWT_SECRET: 'x'.repeat(40) }
  t.equal((await runCli({ DATA_DIR }, 'users add jane --scope students:read --scope students:write', 'correct horse\n')).code, 0)
  const logIn = async (url: string) => {
    const answer = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'password', username: 'jane', password: 'correct horse' }) })
    return { status: answer.status, ...await answer.json() as { access_token: string, refresh_token: string } } // as RFC 6749 has it
  }
  const send = async (url: string, token: string, method: string, body?: object) => fetch(url, {
    method, headers: { authorization: `Bearer ${token}`, ...body && { 'content-type': 'application/json' } }, ...body && { body: JSON.stringify(body) }
  })
  const before = launch(t, env, { counted: true })
  const first = await listening(before)
  const { location } = Object.fromEntries((await send(`${first}/students/`, (await logIn(first)).access_token, 'POST', janeDoe)).headers)
  before.child.kill('SIGTERM')
  await before.exited

  const server = launch(t, { ...env, READ_ONLY: 'on' }, { counted: true })
  const url = await listening(server)
  const { status, access_token: token, refresh_token: refreshToken } = await logIn(url)
  t.equal(status, 200)
  t.equal((await send(url + location, token, 'GET')).status, 200)
  t.equal((await send(`${url}/students/`, token, 'GET')).status, 200)
  for (const [method, path] of [['POST', '/students/'], ['PUT', location], ['PATCH', location], ['DELETE', location], ['POST', '/students/batch'], ['POST', '/students/import'], ['POST', '/users/'], ['PUT', '/users/me/password']] as const) {
    const refused = await send(url + path, token, method, janeDoe)
    t.equal(refused.status, 503, `${method} ${path}`)
    t.equal(refused.headers.get('retry-after'), '60')
    t.match(await refused.json(), { status: 503, detail: 'The server only reads for now. Nothing was changed.', instance: path })
  }
  t.equal((await send(`${url}/nope`, token, 'POST', {})).status, 404)
  t.equal((await fetch(`${url}/revoke`, { method: 'POST', body: new URLSearchParams({ token: refreshToken }) })).status, 200)
  t.match(await (await send(url + location, token, 'GET')).json(), janeDoe)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
