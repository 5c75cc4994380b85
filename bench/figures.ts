// Measures what docs/figures.md holds: npm run figures; with MONGODB_URL there is a second column.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromRoot, run, startServer, usageOf } from './process.js'
import { median } from './statistics.js'
import { table } from './table.js'

const STARTS = 7

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
    await server.stop()
  }
  const server = await start(env)
  const { rssBytes } = await usageOf(server.pid)
  await server.stop()
  return { store, startMs: median(starts), rssBytes }
}

/** The server as `npm start` runs it. */
async function start (env: NodeJS.ProcessEnv) {
  return startServer({ command: process.execPath, args: [fromRoot('dist/server.js')], env: { MONGODB_URL: '', ...env } })
}

async function report (install: Awaited<ReturnType<typeof measureInstall>>, stores: Awaited<ReturnType<typeof measure>>[]) {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return `# Figures

How large it is, written by \`npm run figures\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version},
${cpus().length} × ${cpus()[0]?.model.trim()}. \`npm run bench\` measures how fast it is.

${table(['Install', ''], [
  ['the package, packed', megabytes(install.packedBytes)],
  ['with its dependencies, installed', `${megabytes(install.installedBytes)}, ${install.packages} packages`]
])}

${table(['Server', ...stores.map(({ store }) => store)], [
  [`from start to the first answer, median of ${STARTS}`, ...stores.map(({ startMs }) => `${Math.round(startMs)} ms`)],
  ['memory at rest (RSS)', ...stores.map(({ rssBytes }) => megabytes(rssBytes))]
])}
`
}
