import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hosts } from '../lib/mongodb/connect.js'
import { half, launch, listening, runCli, send } from './launch.js'
import { janeDoe } from './samples.js'
import { url as storeUrl } from './store.js'

const create = (url: string) => fetch(`${url}/students/`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe)
})

t.test('the server says where it is, lets no second one on its data, and its students survive kill -9 and SIGTERM', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const first = launch(t, env)
  const url = await listening(first)
  const lines = first.output.trim().split('\n').map((line) => JSON.parse(line))
  t.equal(lines.length, 1, 'one line')
  t.equal(lines[0].msg, `Student Course API at ${url}, docs at ${url}/docs, store: embedded in ${env.DATA_DIR}`)
  t.equal(new URL(url).hostname, '127.0.0.1')

  const rival = launch(t, env)
  t.match(await rival.exited, { code: 1 })
  t.match(rival.output, new RegExp(`^The store in [^\n]* is in use by process ${first.child.pid}\n$`))

  const student = await (await create(url)).json() as { id: string }
  first.child.kill('SIGKILL')
  await first.exited

  const second = launch(t, { ...env, HOST: '0.0.0.0', JWT_SECRET: 'unused' }, { counted: true })
  const again = await listening(second)
  await second.prints(/AUTH is off: anyone who can reach this address can read and change everything/)
  await second.prints(/AUTH is off: the keys of JWT_SECRET are not used/)
  t.strictSame(await (await fetch(`${again}/students`)).json(), { students: [student] })

  await t.test('a request has one id in all its log lines, and no body, query or credentials in them', async (t) => {
    const [answer] = await Promise.all([create(again), fetch(`${again}/students?token=s3cret`, { headers: { authorization: 'Bearer s3cret' } })])
    t.equal(answer.status, 201)
    second.child.kill('SIGTERM')
    t.strictSame(await second.exited, { code: 0, signal: null })
    t.notMatch(second.output, /s3cret|Jane Doe|jdoe/)
    const ids = second.output.trim().split('\n').map((line) => JSON.parse(line).reqId).filter(Boolean)
    t.equal(ids.length, 3, 'one line each')
    t.equal(new Set(ids).size, 3)
  })

  const third = launch(t, { ...env, REQUEST_TIMEOUT_MS: '500' })
  const last = await listening(third)
  const { students } = await (await fetch(`${last}/students`)).json() as { students: { id: string }[] } // as the API has it
  t.equal(students.length, 2)
  t.strictSame(students.find(({ id }) => id === student.id), student)

  await t.test('what the server refuses before routing is problem details too', async (t) => {
    const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`
    for (const [request, status] of [
      [get('/nope?x=1'), 404], [get('/students/%zz'), 400], [get(`/students/${'a'.repeat(101)}`), 414],
      ['GET /students HTTP/1.1\r\nConnection: close\r\n\r\n', 400], [get('/students', 'Expect: the-impossible\r\n'), 417],
      [get('/students').replace('GET', 'PROPFIND'), 405], [get('/nope').replace('GET', 'PROPFIND'), 404],
      [get('/students', `X-Long: ${'a'.repeat(20_000)}\r\n`), 431], ['NONSENSE\r\n\r\n', 400], [half, 408],
      [`${get('/students', 'Content-Type: application/json\r\nContent-Length: 9\r\n').replace('GET', 'POST')}{`, 408]
    ] as const) {
      const answer = await text(await send(last, request))
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), request.slice(0, 40))
      t.match(answer, /content-type: application\/problem\+json; charset=utf-8/i)
      t.match(answer, /x-content-type-options: nosniff/i)
      t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { type: 'about:blank', status })
    }
  })

  await t.test('an import may take longer than other requests', async (t) => {
    const rows = new ReadableStream({
      async start (controller) {
        const write = (text: string) => controller.enqueue(new TextEncoder().encode(text))
        write('name,email,course,gpa\n')
        for (let n = 0; n < 5; n++) {
          await sleep(500)
          write(`Late ${n},late@example.com,Art,1\n`)
        }
        controller.close()
      }
    })
    const answer = await fetch(`${last}/students/import`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: rows, duplex: 'half' } as RequestInit)
    t.strictSame(await answer.json(), { rows: 5, created: 5, failed: 0, faults: [] })
    const large = `name,email,course,gpa\n${'Large,large@example.com,Art,1\n'.repeat(4_000)}`
    const asked = await text(await send(last, `POST /students/import HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: text/csv\r\nContent-Length: ${large.length}\r\n\r\n${large}`))
    t.match(asked, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/)
    const batch = JSON.stringify({ operations: Array(1000).fill({ op: 'create', data: { ...janeDoe, name: 'x'.repeat(50) } }) })
    t.ok(batch.length > 65_536)
    const changed = await text(await send(last, `POST /students/batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${batch.length}\r\n\r\n${batch}`))
    t.match(changed, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 207 /)
  })

  third.child.kill('SIGINT')
  t.strictSame(await third.exited, { code: 0, signal: null })
})

t.test('with AUTH=on the server wants tokens, for users of the command line, over restarts', async (t) => {
  const dir = t.testdir({ keys: `${randomBytes(32).toString('base64')}\n`, data: {} })
  const env = { DATA_DIR: `${dir}/data`, AUTH: 'on', JWT_SECRET_FILE: `${dir}/keys` }
  const server = launch(t, { ...env, TRUST_PROXY: 'loopback', HOST: '::1' }, { counted: true })
  const url = await listening(server)
  t.equal((await runCli(env, 'users add alice --scope students:read', 'correct horse\n')).code, 0)
  t.equal((await fetch(`${url}/students/`)).status, 401)
  const ask = async (origin: string, form: Record<string, unknown>) => {
    const answer = await fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form as Record<string, string>) })
    return await answer.json() as Record<string, string> // of tokens or of an error
  }
  const tokens = await ask(url, { grant_type: 'password', username: 'alice', password: 'correct horse' })
  const read = (origin: string, token: unknown) => fetch(`${origin}/students/`, { headers: { authorization: `Bearer ${token}` } })
  t.equal((await read(url, tokens.access_token)).status, 200)
  t.notMatch(server.output, /AUTH is off/)
  server.child.kill('SIGTERM')
  t.match(await server.exited, { code: 0 })

  const again = await listening(launch(t, env))
  t.equal((await read(again, tokens.access_token)).status, 200)
  const next = await ask(again, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  t.equal((await read(again, next.access_token)).status, 200)
  const newest = await ask(again, { grant_type: 'refresh_token', refresh_token: next.refresh_token })
  t.equal((await ask(again, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).error, 'invalid_grant')
  t.equal((await ask(again, { grant_type: 'refresh_token', refresh_token: newest.refresh_token })).error, 'invalid_grant')
})

t.test('wrong configuration is exit 2 with every fault, also when it stands in .env', async (t) => {
  const cwd = t.testdir({ '.env': 'PORT=99999\nDOCS=maybe\nLOG_LEVEL=info\n' })
  const server = launch(t, { LOG_LEVEL: 'loud', PORT: undefined }, { cwd })
  t.match(await server.exited, { code: 2 })
  t.equal(server.output, 'The configuration is invalid:\n' +
    '  PORT must be <= 65535\n' +
    '  LOG_LEVEL must be equal to one of the allowed values: fatal, error, warn, info, debug, trace, silent\n' +
    '  DOCS must be equal to one of the allowed values: on, off\n')
})

t.test('a database out of reach is exit 1 within 10 s, with one error and no credentials', async (t) => {
  const started = performance.now()
  const server = launch(t, { MONGODB_URL: 'mongodb://user:s3cret@127.0.0.1:1/?directConnection=true' }, { counted: true })
  t.match(await server.exited, { code: 1 })
  t.ok(performance.now() - started < 10_000)
  t.match(server.output, /^student-course-api: MongoDB at 127\.0\.0\.1:1 is out of reach: connect ECONNREFUSED[^\n]*\n$/)
  t.notMatch(server.output, /s3cret/)
})

t.test('a data directory that can not be one is exit 1 with its name', async (t) => {
  const file = `${t.testdir({ file: '' })}/file`
  const server = launch(t, { DATA_DIR: file })
  t.match(await server.exited, { code: 1 })
  t.match(server.output, file)
})

t.test('with MONGODB_URL the start line names its hosts and nothing secret, and without docs it says so', async (t) => {
  const cwd = t.testdir({ '.env': 'DOCS=off\nLOG_LEVEL=info\n' })
  const server = launch(t, { MONGODB_URL: `${storeUrl}&appName=s3cret`, MONGODB_DATABASE: 'other', LOG_LEVEL: 'silent' }, { counted: true, cwd })
  const url = await listening(server)
  t.ok(server.output.includes(`, docs off, store: MongoDB at ${hosts(storeUrl)}"`))
  t.notMatch(server.output, /s3cret/)
  t.equal((await create(url)).status, 201)
  t.equal((await fetch(`${url}/docs`)).status, 404)
  for (const [version, status] of [['1.1', 400], ['1.0', 200]] as const) {
    const answer = await text(await send(url, `GET /students HTTP/${version}\r\nConnection: close\r\n\r\n`))
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), 'only HTTP/1.0 may do without Host')
  }
  server.child.kill('SIGINT')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
