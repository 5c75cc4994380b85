import { randomUUID } from 'node:crypto'
import t from 'tap'
import { launch, listening, runCli } from '../launch.js'
import { janeDoe } from '../samples.js'
import { client, url as storeUrl } from '../store.js'

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

t.test('a server that is in use moves to another database by the steps of docs/databases.md, and nothing is lost', async (t) => {
  const DATA_DIR = t.testdir()
  const MONGODB_DATABASE = `test_${randomUUID()}`
  t.teardown(() => client.db(MONGODB_DATABASE).dropDatabase())
  const start = async (env: NodeJS.ProcessEnv) => {
    const server = launch(t, env)
    const end = async () => {
      server.child.kill('SIGTERM')
      await server.exited
    }
    return { url: await listening(server), end }
  }
  const send = async (url: string, method: string, body?: object) => fetch(url, { method, ...body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } })
  const list = async (url: string) => (await fetch(`${url}/students/`)).json() as Promise<{ students: { id: string }[] }> // as the API answers
  const copy = async (...words: string[]) => runCli({ DATA_DIR, MONGODB_DATABASE }, ['copy --to -', ...words].join(' '), `${storeUrl}\n`)

  const before = await start({ DATA_DIR, MONGODB_DATABASE })
  for (const name of ['Jane', 'Joe']) await send(`${before.url}/students/`, 'POST', { ...janeDoe, name })
  t.match(await copy(), { code: 0, output: 'students: 2 here, 2 there, 2 of them copied now.' })
  const [jane, joe] = (await list(before.url)).students.map(({ id }) => id)
  t.equal((await send(`${before.url}/students/${jane}`, 'DELETE')).status, 204)
  t.equal((await send(`${before.url}/students/${joe}`, 'PUT', { gpa: 1 })).status, 200)
  t.equal((await send(`${before.url}/students/`, 'POST', janeDoe)).status, 201)
  await before.end()

  const reading = await start({ DATA_DIR, MONGODB_DATABASE, READ_ONLY: 'on' })
  t.equal((await send(`${reading.url}/students/`, 'POST', janeDoe)).status, 503)
  const first = await copy()
  t.equal(first.code, 1)
  t.match(first.output, `students: 2 here, 3 there, 1 of them copied now. Different: 1 (${joe}). Only there: 1 (${jane}).`)
  t.match(first.output, 'with --replace')
  const second = await copy('--replace')
  t.equal(second.code, 0)
  t.match(second.output, 'students: 1 there will be replaced, 1 there will be deleted.')
  t.match(second.output, 'students: 2 here, 2 there, 1 of them copied now, 1 in place of others, 1 deleted there.')
  const kept = await list(reading.url)
  await reading.end()

  const after = await start({ MONGODB_URL: storeUrl, MONGODB_DATABASE })
  t.strictSame(await list(after.url), kept)
  t.equal((await send(`${after.url}/students/`, 'POST', janeDoe)).status, 201)
})
