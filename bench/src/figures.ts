import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { execa } from 'execa'
import { median } from 'simple-statistics'
import { inFolder } from './command.js'
import { PROCESSORS, today } from './facts.js'
import { fromRoot, startServer } from './process.js'
import { megabytes, table } from './report.js'

const STARTS = 7

export const figuresCommand = new Command('figures')
  .description('Measures what docs/figures.md holds, and writes it; with MONGODB_URL there is a second column.')
  .action(async () => inFolder(async (folder) => {
    const { MONGODB_URL, MONGODB_NAME = 'MongoDB' } = process.env
    const install = await measureInstall(folder)
    const servers = [await measure('the embedded store', { MONGODB_URL: '', DATA_DIR: join(folder, 'data') })]
    if (MONGODB_URL) servers.push(await measure(MONGODB_NAME, { MONGODB_URL, MONGODB_DATABASE: `figures_${process.pid}` }))
    await writeFile(fromRoot('docs/figures.md'), `# Figures

How large it is, written by \`npm run figures\` on ${today()}: Node ${process.version},
${PROCESSORS}. \`npm run bench\` measures how fast it is.

${table(['Install', ''], install)}

${table(['Server', ...servers.map(({ store }) => store)], [
  [`from start to the first answer, median of ${STARTS}`, ...servers.map(({ startMs }) => `${Math.round(startMs)} ms`)],
  ['memory at rest (RSS)', ...servers.map(({ restBytes }) => megabytes(restBytes))]
])}
`)
  }))

/** The package and its dependencies as npm installs them elsewhere. */
async function measureInstall (folder: string): Promise<string[][]> {
  const { stdout } = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: fromRoot('.') })
  const [{ filename, size }] = JSON.parse(stdout)
  const target = join(folder, 'install')
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefix', target, join(folder, filename)])
  const packages = Object.keys(JSON.parse(await readFile(join(target, 'package-lock.json'), 'utf8')).packages).length - 1
  const installed = parseInt((await execa('du', ['--summarize', '--bytes', target])).stdout)
  return [['the package, packed', megabytes(size)], ['with its dependencies, installed', `${megabytes(installed)}, ${packages} packages`]]
}

/** The server as `npm start` runs it. */
async function measure (store: string, env: NodeJS.ProcessEnv) {
  const starts: number[] = []
  let restBytes = 0
  for (let round = 0; round < STARTS; round++) {
    const server = await startServer({ command: [process.execPath, fromRoot('dist/server.js')], env })
    starts.push(server.startMs)
    restBytes = server.restBytes
    await server.stop()
  }
  return { store, startMs: median(starts), restBytes }
}
