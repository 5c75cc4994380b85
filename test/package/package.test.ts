import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { newDatabase } from '../app/host.js'
import { Process } from '../launch.js'
import { recipeModules, recipesOfPackage, toolBlocks } from '../recipes.js'
import { root } from '../root.js'
import { url } from '../store.js'

const run = promisify(execFile)
const fromRoot = (path: string) => join(root, path)
const { version } = JSON.parse(await readFile(fromRoot('package.json'), 'utf8'))

t.setTimeout(240_000) // npm and the compiler take their time on a busy machine

// outside of the project, so that none of its node_modules is in reach
const folder = await mkdtemp(join(tmpdir(), 'student-course-api-'))
t.teardown(() => rm(folder, { recursive: true }))

const packed = await pack(t.testdir())
const tools = ['esbuild', 'tsx', 'vitest', 'typescript5@npm:typescript@5', 'typescript@latest', '@fastify/rate-limit', '@fastify/compress']
const install = (...packages: string[]) => run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], { cwd: folder })
await install(packed.tarball)

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

t.test('with other tools', async (t) => {
  // after what has to do without them
  await install(...tools)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const database = newDatabase(t)
  const blocks = await toolBlocks()
  const block = (heading: string) => String(blocks.get(heading)).replace(", database: 'college'", '').replace("url: 'mongodb://127.0.0.1:27017'", `url: '${url}', database: '${database}'`)
  const write = (path: string, text: string) => writeFile(join(folder, path), text)
  const shell = async (command: string, env = process.env) => (await run('bash', ['-c', command], { cwd: folder, env })).stdout
  const end = "\napp.inject('/college/students/').then(async ({ body }) => {\n  console.log(body)\n  await app.close()\n})\n"
  const answer = /^\{"students":\[/
  t.strictSame([...blocks.keys()], ['TypeScript', 'tsx', 'CommonJS', 'esbuild', 'vitest'])
  await write('app.ts', block('TypeScript') + end)

  t.match(await shell(block('tsx')), answer, 'tsx runs it')

  await write('app.cjs', block('CommonJS') + end)
  t.match(await shell('node app.cjs'), answer, 'a CommonJS module requires it')

  await shell(block('esbuild'))
  // only what stays outside is beside the bundle
  const bundled = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.teardown(() => rm(bundled, { recursive: true }))
  for (const [, name = ''] of block('esbuild').matchAll(/--external:(\S+)/g)) await link(name, bundled)
  await cp(join(folder, 'app.mjs'), join(bundled, 'app.mjs'))
  t.match((await run(process.execPath, ['app.mjs'], { cwd: bundled })).stdout, answer, 'a bundle of esbuild has it')

  await write('app.test.js', block('vitest'))
  t.match(await shell('npx vitest run --no-color'), /Tests +1 passed/, 'vitest tests it')

  await t.test('the types allow right use and refuse wrong use, with TypeScript 5 and with the newest', async (t) => {
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
    await write('tsconfig.json', JSON.stringify({ compilerOptions, files: [...files, 'app.ts'] }))
    for (const compiler of [join(folder, 'node_modules/typescript5'), fromRoot('node_modules/typescript'), join(folder, 'node_modules/typescript')]) {
      t.equal(await compile(compiler), '', compiler)
    }
  })

  await t.test('a recipe with packages of its own limits one route, beside compression', async (t) => {
    const [limits = ''] = recipesOfPackage
    await write('limits.mjs', String((await recipeModules()).get(limits)))
    await cp(fromRoot('test/package/limits.mjs'), join(folder, 'run-limits.mjs'))
    t.strictSame(JSON.parse(await shell('node run-limits.mjs')), {
      created: [...Array(10).fill(201), 429], type: 'application/problem+json; charset=utf-8', hasRetryAfter: true, listed: [200, 'gzip']
    })
  })
})

/** Makes a package that is installed be found from another folder. */
async function link (name: string, to: string): Promise<void> {
  await mkdir(join(to, 'node_modules', name, '..'), { recursive: true })
  await symlink(join(folder, 'node_modules', name), join(to, 'node_modules', name))
}

async function pack (destination: string) {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], { cwd: fromRoot('.') })
  const [{ filename, files }] = JSON.parse(stdout)
  const paths: string[] = files.map(({ path }: { path: string }) => path)
  return { tarball: join(destination, filename), files: paths.sort() }
}

/** The faults that the compiler finds, if any. It gets no options of Node's, by which tests load modules in another way than it takes. */
async function compile (compiler: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', 'NODE_OPTIONS= exec "$0" "$1"', process.execPath, join(compiler, 'bin/tsc')], { cwd: folder })
    .catch(({ stdout, message }: { stdout: string, message: string }) => ({ stdout: stdout || message }))
  return stdout
}
