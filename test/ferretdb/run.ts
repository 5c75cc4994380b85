// The API's suites on FerretDB 1.24 on SQLite, a server of the MongoDB protocol by others: npm run test:ferretdb. It needs Go, or the
// path of what was built from this folder in FERRETDB. Fails where a test fails that is not in accepted.ts, or one there does not.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../root.js'
import { accepted } from './accepted.js'

const PORT = 27317

const files = ['suites/routes', 'suites/access'].map((name) => `dist/test/${name}.test.js`)

const folder = await mkdtemp(join(tmpdir(), 'ferretdb-'))
try {
  process.exitCode = await run()
} finally {
  await rm(folder, { recursive: true })
}

async function run (): Promise<number> {
  const server = spawn(process.env.FERRETDB ?? build(), [String(PORT), folder], { stdio: ['ignore', 'ignore', 'ignore'] })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  try {
    await isUp()
    return judge(tap())
  } finally {
    server.kill()
    await ended
  }
}

function build (): string {
  const program = join(folder, 'ferretdb')
  const { status } = spawnSync('go', ['build', '-o', program, '.'], { cwd: join(root, 'test/ferretdb'), stdio: 'inherit' })
  if (status !== 0) throw new Error('FerretDB could not be built: it needs Go 1.24 or newer, or FERRETDB names a built one')
  return program
}

async function isUp (): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(PORT, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false)).on('connect', () => socket.destroy())
    })
    if (isOpen) return
    await sleep(100)
  }
  throw new Error('FerretDB did not start within 10 s')
}

function tap (): string {
  const env = { ...process.env, MONGODB_URL: `mongodb://127.0.0.1:${PORT}/?directConnection=true` }
  const { stdout } = spawnSync('npx', ['tap', '--disable-coverage', '--reporter=tap', ...files], { cwd: root, env, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  return stdout
}

function judge (text: string): number {
  const results = [...text.matchAll(/^ {4}(not )?ok \d+ - (.*?)(?: # time=.*)?$/gm)].map(([, not, title = '']) => ({ hasFailed: not !== undefined, title }))
  const failed = results.filter(({ hasFailed }) => hasFailed).map(({ title }) => title)
  const unexpected = failed.filter((title) => !accepted.some((exception) => title.startsWith(exception.title)))
  const unneeded = accepted.filter(({ title, byChance }) => !byChance && !failed.some((failure) => failure.startsWith(title)))
  for (const { title, reason } of accepted) console.log(`accepted: ${title}: ${reason}`)
  for (const title of unexpected) console.log(`not ok: ${title}`)
  for (const { title } of unneeded) console.log(`passes now, and is not accepted any more: ${title}`)
  console.log(`${results.length} tests on FerretDB, ${failed.length} failed, ${unexpected.length} of them unexpected`)
  const isComplete = files.every((file) => text.includes(`- ${file}`)) && results.length > 150
  return isComplete && unexpected.length + unneeded.length === 0 ? 0 : 1
}
