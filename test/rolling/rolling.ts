import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { start } from '../../embedded/index.js'
import { freePort } from '../free-port.js'
import { Nginx } from '../nginx.js'
import { built } from '../root.js'
import { janeDoe } from '../samples.js'

/*
 * Restarts two servers behind nginx in turn, while clients keep asking, and counts the requests that failed: npm run rolling -- [--restarts 20]
 * [--connections 64]. Needs nginx (Debian's package nginx-light).
 */

const { values: { restarts, connections } } = parseArgs({ options: { restarts: { type: 'string', default: '20' }, connections: { type: 'string', default: '64' } } })

/** One in so many requests creates a student. */
const CREATES = 10

interface Tally {
  answered: number
  failed: string[]
}

const folder = await mkdtemp(join(tmpdir(), 'rolling-'))
const children = new Set<ChildProcess>()
process.exitCode = await run().catch((error) => {
  console.error(error)
  return 1
}).finally(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})
process.exit()

async function run (): Promise<number> {
  const store = await start({ path: join(folder, 'store') })
  const ports = [await freePort(), await freePort()] as const
  const servers = await Promise.all(ports.map(async (port) => serve(port, store.url)))
  const nginx = await Nginx.start(ports)
  return restartUnderLoad(nginx, servers, ports, store.url).finally(async () => nginx.stop())
}

async function restartUnderLoad (nginx: Nginx, servers: ChildProcess[], ports: readonly [number, number], mongodb: string): Promise<number> {
  const { url } = nginx

  const tally: Tally = { answered: 0, failed: [] }
  const stop = new AbortController()
  const clients = Array.from({ length: Number(connections) }, async () => client(url, tally, stop.signal))
  console.log('| Restart | Took | Answered meanwhile | Failed |\n|---|---|---|---|')
  for (let count = 0; count < Number(restarts); count++) {
    const at = count % 2
    const before = { answered: tally.answered, failed: tally.failed.length, started: performance.now() }
    const old = servers[at] as ChildProcess // of the two
    old.kill('SIGTERM')
    const [code] = await once(old, 'exit')
    if (code !== 0) tally.failed.push(`the server ended with ${code}`)
    servers[at] = await serve(ports[at] as number, mongodb)
    await sleep(1_100) // nginx asks it again after a second
    console.log(`| ${count + 1} | ${((performance.now() - before.started) / 1000).toFixed(1)} s | ${tally.answered - before.answered} | ${tally.failed.length - before.failed} |`)
  }
  stop.abort()
  await Promise.all(clients)
  for (const failure of new Set(tally.failed)) console.log(failure)
  if (tally.failed.length > 0) console.log(await nginx.errors())
  console.log(`${tally.answered} answered, ${tally.failed.length} failed, with ${connections} connections and ${restarts} restarts`)
  return tally.failed.length > 0 || tally.answered < 1_000 ? 1 : 0
}

function launch (command: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function serve (port: number, mongodb: string): Promise<ChildProcess> {
  const child = launch(process.execPath, [`${built}server.js`], { MONGODB_URL: mongodb, PORT: String(port) })
  while (!await isReady(`http://127.0.0.1:${port}`)) await sleep(50)
  return child
}

async function isReady (url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(({ ok }) => ok, () => false)
}

/** One connection, which asks again once it is answered. */
async function client (url: string, tally: Tally, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const body = JSON.stringify(janeDoe)
  const post = { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } }
  let path = JSON.parse((await ask(url, agent, '/students/', post, body)).body).id as string // as the API has it
  for (let count = 0; !signal.aborted; count++) {
    const isCreate = count % CREATES === 0
    const key = { ...post.headers, 'idempotency-key': `"${randomUUID()}"` }
    try {
      const { status, body: answer } = isCreate
        ? await ask(url, agent, '/students/', { ...post, headers: key }, body)
        : await ask(url, agent, `/students/${path}`, { method: 'GET' })
      if (status === (isCreate ? 201 : 200)) tally.answered++
      else tally.failed.push(`${isCreate ? 'POST' : 'GET'}: ${status} ${answer.slice(0, 200)}`)
      if (isCreate && status === 201) path = JSON.parse(answer).id
    } catch (error) {
      tally.failed.push(`${isCreate ? 'POST' : 'GET'}: ${(error as Error).message}`) // nothing else is thrown
    }
  }
  agent.destroy()
}

async function ask (url: string, agent: Agent, path: string, options: object, body?: string): Promise<{ status: number | undefined, body: string }> {
  const sent = request(url + path, { agent, ...options }).end(body)
  const [answer] = await once(sent, 'response')
  return { status: answer.statusCode, body: await text(answer) }
}
