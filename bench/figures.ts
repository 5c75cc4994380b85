// Measures what docs/figures.md holds: npm run figures; with MONGODB_URL there is a second column.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import autocannon from 'autocannon'

const run = promisify(execFile)
const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const CONNECTIONS = 64
const SECONDS = 5
const STARTS = 7
const LISTED = 20

const janeDoe = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Experiments, Science, and Fashion in Nanophotonics', gpa: 3.0 }
const json = { 'content-type': 'application/json' }

interface Running {
  child: ChildProcess
  url: string
  startMs: number
}

const folder = await mkdtemp(join(tmpdir(), 'figures-'))
try {
  const install = await measureInstall()
  const embedded = await measure('the embedded store', { DATA_DIR: join(folder, 'data') })
  const { MONGODB_URL } = process.env
  const mongodb = MONGODB_URL
    ? await measure(process.env.MONGODB_NAME ?? 'MongoDB', { MONGODB_URL, MONGODB_DATABASE: `figures_${process.pid}` })
    : undefined
  await writeFile(fromRoot('docs/figures.md'), await report(install, [embedded, ...mongodb ? [mongodb] : []]))
} finally {
  await rm(folder, { recursive: true })
}

/** The package and its dependencies as npm installs them elsewhere. */
async function measureInstall () {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: fromRoot('.') })
  const [{ filename, size }] = JSON.parse(stdout)
  const target = join(folder, 'install')
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', target, join(folder, filename)])
  const packages = Object.keys(JSON.parse(await readFile(join(target, 'package-lock.json'), 'utf8')).packages).length - 1
  return { packedBytes: size, installedBytes: await sizeOf(target), packages }
}

async function sizeOf (path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return (await Promise.all(files.map(async (file) => (await stat(file)).size))).reduce((sum, size) => sum + size, 0)
}

async function measure (store: string, env: NodeJS.ProcessEnv) {
  const starts: number[] = []
  for (let round = 0; round < STARTS; round++) {
    const server = await start(env)
    starts.push(server.startMs)
    await stop(server)
  }
  const server = await start(env)
  const restBytes = await memoryOf(server.child)
  const rates = await measureRoutes(server.url)
  await stop(server)
  return { store, startMs: median(starts), restBytes, rates }
}

/** The server as `npm start` runs it, on a free port. */
async function start (env: NodeJS.ProcessEnv): Promise<Running> {
  const started = performance.now()
  const child = spawn(process.execPath, [fromRoot('dist/server.js')], {
    env: { ...process.env, MONGODB_URL: '', PORT: '0', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  // read to the end: a full pipe would hold up the server
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { if (output.length < 10_000) output += text })
  for (;;) {
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    const url = /API at (http:[^,]+)/.exec(output)?.[1]
    if (url) return { child, url, startMs: performance.now() - started }
    if (child.exitCode !== null) throw new Error(`The server did not start: ${output}`)
  }
}

async function stop ({ child }: Running): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function memoryOf ({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

async function measureRoutes (url: string): Promise<[route: string, perSecond: number, p99Ms: number][]> {
  const students = `${url}/students/`
  const ids: string[] = []
  for (let n = 0; n < LISTED; n++) {
    const answer = await fetch(students, { method: 'POST', headers: json, body: JSON.stringify(janeDoe) })
    const { id } = await answer.json() as { id: string } // as the API's own schema has it
    ids.push(id)
  }
  const one = ids.map((id) => ({ path: `/students/${id}` }))
  const body = JSON.stringify(janeDoe)
  const update = one.map(({ path }, n) => ({ path, method: 'PUT' as const, headers: json, body: JSON.stringify({ gpa: n % 4 }) }))
  return [
    ['`GET /students/{id}`', ...await load({ url, requests: one })],
    [`\`GET /students/\`, ${LISTED} students`, ...await load({ url: students })],
    ['`PUT /students/{id}`', ...await load({ url, requests: update })],
    ['`POST /students/`', ...await load({ url: students, method: 'POST', headers: json, body })]
  ]
}

async function load (options: autocannon.Options): Promise<[perSecond: number, p99Ms: number]> {
  await autocannon({ ...options, connections: CONNECTIONS, duration: 2 })
  const result = await autocannon({ ...options, connections: CONNECTIONS, duration: SECONDS })
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} answers were no success, ${result.errors} errors`)
  return [result.requests.average, result.latency.p99]
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}

async function report (install: Awaited<ReturnType<typeof measureInstall>>, stores: Awaited<ReturnType<typeof measure>>[]) {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  const row = (...cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const columns = stores.map(({ store }) => store)
  const routes = stores[0]?.rates.map(([route]) => route) ?? []
  return `# Figures

A first baseline, written by \`npm run figures\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version},
${cpus().length} × ${cpus()[0]?.model.trim()}, everything on one machine, so that server, database and load share its cores. It shows the order of
magnitude; it compares nothing.

| Install | |
|---|---|
| the package, packed | ${megabytes(install.packedBytes)} |
| with its dependencies, installed | ${megabytes(install.installedBytes)}, ${install.packages} packages |

${row('Server', ...columns)}
${row(...['', ...columns].map(() => '---'))}
${row(`from start to listening, median of ${STARTS}`, ...stores.map(({ startMs }) => `${Math.round(startMs)} ms`))}
${row('memory at rest (RSS)', ...stores.map(({ restBytes }) => megabytes(restBytes)))}

Requests per second and the 99th percentile of latency: autocannon, ${CONNECTIONS} connections, ${SECONDS} s a route after a warm-up, logging as by default.

${row('Route', ...columns)}
${row(...['', ...columns].map(() => '---'))}
${routes.map((route, n) => row(route, ...stores.map(({ rates }) => `${Math.round(rates[n]?.[1] ?? NaN)}/s, ${rates[n]?.[2]} ms`))).join('\n')}
`
}
