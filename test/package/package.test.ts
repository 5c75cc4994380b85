import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { Process } from '../launch.js'
import { root } from '../root.js'

const run = promisify(execFile)
const fromRoot = (path: string) => join(root, path)
const { version } = JSON.parse(await readFile(fromRoot('package.json'), 'utf8'))

t.setTimeout(120_000) // npm and the compiler take their time on a busy machine

// outside of the project, so that none of its node_modules is in reach
const folder = await mkdtemp(join(tmpdir(), 'student-course-api-'))
t.teardown(() => rm(folder, { recursive: true }))

const packed = await pack(t.testdir())
await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', packed.tarball], { cwd: folder })

t.test('the package holds built JavaScript with its types, documents, and nothing else', async (t) => {
  const { files } = packed
  const whole = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'package.json']
  t.strictSame(files.filter((path) => !/^(dist|docs|examples)\//.test(path)), whole)
  const linked = Array.from((await readFile(fromRoot('README.md'), 'utf8')).matchAll(/\]\(([^)#:]+)\)/g), ([, path]) => String(path))
  for (const path of linked) t.ok(files.some((file) => file === path || file.startsWith(`${path}/`)), `the README's link to ${path} leads to something`)
  const built = files.filter((path) => path.startsWith('dist/'))
  const scripts = built.filter((path) => path.endsWith('.js'))
  t.strictSame(built, scripts.flatMap((path) => [path.replace(/js$/, 'd.ts'), path]), 'each script has its types')
  for (const path of ['app', 'server', 'embedded/worker']) t.ok(scripts.includes(`dist/${path}.js`), path)
  t.notMatch(built.join(), /test|bench|seed|example/)
  t.ok(files.includes('docs/design.md'))
})

t.test('an installed package serves students', async (t) => {
  await cp(fromRoot('test/package/use.mjs'), join(folder, 'use.mjs'))
  const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: folder })
  t.match(JSON.parse(stdout), { created: 201, shown: { name: 'Jane Doe', gpa: 3 }, version })
})

t.test('an installed package has the server as a command', async (t) => {
  const env = { ...process.env, PORT: '0', DATA_DIR: './data', MONGODB_URL: '' }
  const server = new Process(t, join(folder, 'node_modules/.bin/student-course-api'), [], { cwd: folder, env })
  await server.prints(/Student Course API at http:/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('the published types allow right use and refuse wrong use', async (t) => {
  const files = ['test/package/types.mts', 'examples/stand-alone.js', 'examples/larger-app.js']
  for (const path of files) await cp(fromRoot(path), join(folder, path))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    checkJs: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [fromRoot('node_modules/@types')] // the package brings none for Node
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  t.equal(await compile(), '')
})

async function pack (destination: string) {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], { cwd: fromRoot('.') })
  const [{ filename, files }] = JSON.parse(stdout)
  const paths: string[] = files.map(({ path }: { path: string }) => path)
  return { tarball: join(destination, filename), files: paths.sort() }
}

/** The faults that the compiler finds, if any. */
async function compile (): Promise<string> {
  const { stdout } = await run(process.execPath, [fromRoot('node_modules/typescript/bin/tsc')], { cwd: folder })
    .catch(({ stdout, message }: { stdout: string, message: string }) => ({ stdout: stdout || message }))
  return stdout
}
