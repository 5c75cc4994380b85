import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { failingStore } from '../failing-store.js'
import { launch, listening, type Process } from '../launch.js'
import { janeDoe } from '../samples.js'
import { url as storeUrl } from '../store.js'

/** The processes of a server's workers. */
function workersOf (server: Process): number[] {
  return spawnSync('pgrep', ['-P', String(server.child.pid)]).stdout.toString().trim().split('\n').filter(Boolean).map(Number)
}

async function create (url: string): Promise<number> {
  return (await fetch(`${url}/students/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe) })).status
}

async function createBy (agent: Agent, url: string): Promise<number> {
  const body = JSON.stringify(janeDoe)
  const sent = request(`${url}/students/`, { agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } }).end(body)
  const [answer] = await once(sent, 'response')
  await text(answer)
  return answer.statusCode
}

t.test('two workers share the embedded store, limits and metrics; one that is killed is followed by another, and SIGHUP replaces them without a failed request', async (t) => {
  const env = { DATA_DIR: t.testdir(), WORKERS: '2', METRICS_PORT: '0', RATE_LIMIT_QUOTA: '100000', SHUTDOWN_TIMEOUT_MS: '3000' }
  const server = launch(t, env, { counted: true })
  const url = await listening(server)
  t.match(server.output, /store: embedded in [^"]*, 2 workers"/)
  const metricsUrl = (await server.prints(/metrics at (http:[^"]+)/))[1] ?? ''
  const counted = async () => Number(/http_server_request_duration_seconds_count\{http_route="\/students\/",http_request_method="POST",http_response_status_code="201"\} (\d+)/
    .exec(await (await fetch(metricsUrl)).text())?.[1])
  while (workersOf(server).length < 2) await sleep(50)
  const first = workersOf(server)

  // each connection goes to the worker whose turn it is
  let created = 0
  const served = () => new Set([...server.output.matchAll(/"pid":(\d+),.*request completed/g)].map(([, pid]) => Number(pid)))
  for (; served().size < 2; created++) {
    t.equal((await fetch(`${url}/students/`, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body: JSON.stringify(janeDoe) })).status, 201)
  }
  t.equal(await counted(), created)
  t.strictSame([...served()].sort(), [...first].sort(), 'both have served')

  process.kill(Number(first[0]), 'SIGKILL')
  await server.prints(new RegExp(`worker ${first[0]} ended \\(SIGKILL\\); another one starts in 0 ms`))
  while (workersOf(server).length < 2) await sleep(50)
  for (let count = 0; count < 10; count++) t.equal(await create(url), 201)
  t.equal(await counted(), created + 10, 'what the killed one had counted counts')

  const before = workersOf(server)
  const rolling = new AbortController()
  const statuses = new Map<number | string, number>()
  // one connection each, which asks again at once: one that is idle may be closed in the moment in which it is used (RFC 9112 section 9.3.1)
  const clients = Array.from({ length: 8 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!rolling.signal.aborted) {
      const status = await createBy(agent, url).catch(({ message }: Error) => message)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    agent.destroy()
  })
  server.child.kill('SIGHUP')
  await server.prints(/the workers are replaced/)
  rolling.abort()
  await Promise.all(clients)
  t.strictSame([...statuses.keys()], [201], 'no request failed')
  t.strictSame(workersOf(server).filter((pid) => before.includes(pid)), [], 'all are new')
  t.equal(await counted(), created + 10 + Number(statuses.get(201)))

  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })

  const again = launch(t, { ...env, WORKERS: '1', METRICS_PORT: '' })
  const { students } = await (await fetch(`${await listening(again)}/students/?limit=1`)).json() as { students: unknown[] } // as the API has it
  t.equal(students.length, 1)
})

t.test('workers over a MongoDB count rates together, and each has the metrics of all', async (t) => {
  const server = launch(t, { MONGODB_URL: storeUrl, MONGODB_DATABASE: `test_workers_${process.pid}`, WORKERS: '2', METRICS: 'on', RATE_LIMIT_QUOTA: '40', RATE_LIMIT_WINDOW: '3600', JWT_AUDIENC: 'x' }, { counted: true })
  const url = await listening(server)
  await server.prints(/JWT_AUDIENC is not a variable of this server/)
  while (workersOf(server).length < 2) await sleep(50)
  await sleep(1_000) // for both to serve
  const statuses: number[] = []
  for (let count = 0; count < 60; count++) {
    statuses.push((await fetch(`${url}/nope`, { headers: { connection: 'close' } })).status)
    await sleep(25) // longer than a round trip
  }
  const served = statuses.filter((status) => status === 404).length
  t.ok(served >= 40 && served <= 44, `${served} served`)
  for (let count = 0; count < 4; count++) {
    const metrics = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
    t.match(metrics, new RegExp(`http_route="",http_request_method="GET",http_response_status_code="404"\\} ${served}\n`))
  }
  const [ended, stays] = workersOf(server)
  process.kill(Number(ended), 'SIGTERM')
  await server.prints(new RegExp(`worker ${ended} ended \\(0\\); another one starts in \\d+ ms`))
  let next: number | undefined
  while (next === undefined || !server.output.includes(`"pid":${next},`)) {
    await fetch(`${url}/nope`, { headers: { connection: 'close' } })
    await sleep(20)
    next = workersOf(server).find((pid) => pid !== ended && pid !== stays)
  }
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('workers check passwords in turns of all, and a worker that is killed leaves its turn to others', async (t) => {
  const env = { DATA_DIR: t.testdir(), AUTH: 'on', JWT_SECRET: 'x'.repeat(40), WORKERS: '2' }
  const server = launch(t, env, { counted: true })
  const url = await listening(server)
  while (workersOf(server).length < 2) await sleep(50)
  await sleep(1_000) // for both to serve
  const logIn = async () => fetch(`${url}/token`, {
    method: 'POST', headers: { connection: 'close' }, body: new URLSearchParams({ grant_type: 'password', username: `user${Math.random()}`.replace('.', ''), password: 'wrong' })
  }).then(({ status }) => status, () => 0)
  const statuses = await Promise.all(Array.from({ length: 160 }, logIn))
  const refused = statuses.filter((status) => status === 503).length
  const inTurn = Math.max(1, Math.floor(availableParallelism() / 2))
  // two queues would let in twice as many as wait in one
  t.ok(statuses.length - refused < 2 * 64 + inTurn, `${refused} refused`)
  t.ok(statuses.length - refused >= 64 + inTurn)
  const logins = Array.from({ length: 40 }, logIn)
  await sleep(100)
  process.kill(Number(workersOf(server)[0]), 'SIGKILL')
  await Promise.all(logins)
  t.ok([400, 429].includes(await logIn()), 'wrong, or one too many, but in its turn')
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('a server that is told to end while a worker starts ends at once', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), WORKERS: '2' }, { counted: true })
  await listening(server)
  while (workersOf(server).length < 2) await sleep(50)
  await sleep(1_000) // for both to serve
  const [killed] = workersOf(server)
  process.kill(Number(killed), 'SIGKILL')
  while (workersOf(server).length < 2 || workersOf(server).includes(killed as number)) await sleep(5)
  const began = performance.now()
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
  t.ok(performance.now() - began < 5_000)
})

t.test('workers that cannot serve end the server with their reason', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo // a TCP server's address is of that type
  const server = launch(t, { DATA_DIR: t.testdir(), WORKERS: 'auto', PORT: String(port) }, { counted: true })
  t.match(await server.exited, { code: 1 })
  t.match(server.output, new RegExp(`Port ${port} of 127.0.0.1 is in use`))
})

t.test('a worker that does not end is killed when its time is over, one that cannot be replaced goes on, and a store that fails ends all', async (t) => {
  const folder = t.testdir({ 'jwt.keys': 'x'.repeat(44), data: {} })
  const env = { AUTH: 'on', JWT_SECRET_FILE: `${folder}/jwt.keys`, DATA_DIR: `${folder}/data`, WORKERS: '2', SHUTDOWN_TIMEOUT_MS: '200' }
  const server = launch(t, env, { counted: true })
  const url = await listening(server)
  while (workersOf(server).length < 2) await sleep(50)
  const [first, second] = workersOf(server)
  await rm(`${folder}/jwt.keys`)
  server.child.kill('SIGHUP')
  await server.prints(new RegExp(`worker ${first} goes on: the one that was to follow it did not start`))
  await server.prints(/the workers are replaced/)
  t.strictSame(workersOf(server), [first, second])
  for (let count = 0; count < 4; count++) t.equal((await fetch(`${url}/livez`, { headers: { connection: 'close' } })).status, 200)
  process.kill(Number(second), 'SIGSTOP')
  server.child.kill('SIGTERM')
  t.match(await server.exited, { code: 1, signal: null })
  t.throws(() => process.kill(Number(second), 0), { code: 'ESRCH' })

  const { execArgv, fail } = await failingStore(folder)
  const failed = launch(t, { DATA_DIR: `${folder}/data`, WORKERS: '2' }, { counted: true, execArgv })
  await listening(failed)
  await fail()
  t.strictSame(await failed.exited, { code: 1, signal: null })
  t.match(failed.output, /"level":60.*The embedded store failed: Error: planted/)
})

t.test('a second signal ends all workers at once, and the end of the primary leaves none behind', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir({ a: {} }) + '/a', WORKERS: '2', SHUTDOWN_DELAY_MS: '20000' }, { counted: true })
  await listening(server)
  server.child.kill('SIGTERM')
  await server.prints(/closing after SIGTERM/)
  await sleep(300)
  server.child.kill('SIGTERM')
  t.match(await server.exited, { code: 1 })

  const orphaned = launch(t, { DATA_DIR: t.testdir({ b: {} }) + '/b', WORKERS: 'auto' })
  await listening(orphaned)
  const workers = workersOf(orphaned)
  t.ok(workers.length > 0)
  orphaned.child.kill('SIGKILL')
  await orphaned.exited
  const isAlive = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0
  for (let tries = 0; tries < 50 && workers.some(isAlive); tries++) await sleep(100)
  t.strictSame(workers.filter(isAlive), [])
})
