// What deploy/Dockerfile builds, without a container engine: each stage in a folder of its own, and its command as its user, without
// rights, on a root file system that is read-only. Needs Linux, util-linux, root and the npm registry.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { freePort } from '../free-port.js'
import { listening, Process } from '../launch.js'
import { root } from '../root.js'
import { janeDoe } from '../samples.js'

const run = promisify(execFile)

/** The instructions of a Dockerfile, by stage. */
function stagesOf (text: string): { instruction: string, rest: string }[][] {
  const lines = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ').split('\n').filter(Boolean)
  const stages: { instruction: string, rest: string }[][] = []
  for (const line of lines) {
    const [instruction = '', ...words] = line.split(' ')
    if (instruction === 'FROM') stages.push([])
    else stages.at(-1)?.push({ instruction, rest: words.join(' ') })
  }
  return stages
}

/** The files that the image is built from: those of .dockerignore that git knows. */
async function context (t: Test, folder: string): Promise<void> {
  const [all, ...but] = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'))
  t.equal(all, '*', 'nothing goes in that is not named')
  const named = but.map((line) => `:(glob)${line.slice(1)}`)
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...named], { cwd: root })
  for (const file of stdout.split('\n').filter(Boolean)) {
    await mkdir(join(folder, dirname(file)), { recursive: true })
    await cp(join(root, file), join(folder, file))
  }
}

t.test('the image is built, and serves without rights on a root file system that is read-only', { timeout: 300_000 }, async (t) => {
  const [build = [], serve = [], ...others] = stagesOf(readFileSync(join(root, 'deploy/Dockerfile'), 'utf8'))
  t.strictSame(others, [])
  // not /tmp, where the container has a file system of its own
  const folder = await mkdtemp('/var/tmp/image-')
  t.teardown(() => rm(folder, { recursive: true }))
  const [built, app, data] = ['build', 'app', 'data'].map((name) => join(folder, name)) as [string, string, string]
  for (const path of [built, app, data]) await mkdir(path)
  await run('chmod', ['755', folder])
  await context(t, built)

  for (const { rest } of build.filter(({ instruction }) => instruction === 'RUN')) await run('sh', ['-c', rest], { cwd: built, maxBuffer: 16_777_216 })
  const value = (wanted: string) => serve.filter(({ instruction }) => instruction === wanted).map(({ rest }) => rest)
  for (const rest of value('COPY')) {
    const [, from = '', to = ''] = rest.split(' ') // to a folder, or to one of the same name
    const source = from.replace('/app', built)
    await cp(source, join(app, to.endsWith('/') ? basename(source) : to), { recursive: true, verbatimSymlinks: true })
  }
  await run('chown', ['1000:1000', data])
  t.strictSame(value('USER'), ['1000:1000'])
  const env = Object.fromEntries(value('ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=') as [string, string])))
  t.strictSame(env.DATA_DIR, value('VOLUME')[0])
  t.strictSame(env.PORT, value('EXPOSE')[0])
  const port = String(await freePort())
  const environment = { ...env, PATH: process.env.PATH, PORT: port, DATA_DIR: data, DOCS: 'off' }

  const [program = '', ...words] = JSON.parse(value('CMD')[0] ?? '') as string[]
  const command = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--no-new-privs', '--bounding-set=-all', program, ...words]
  const script = `mount --bind ${data} ${data} && mount -t tmpfs none /tmp && mount -o remount,ro,bind / && exec ${command.join(' ')}`
  const server = new Process(t, 'unshare', ['--mount', 'sh', '-c', script], { cwd: app, env: environment })
  const url = await listening(server)
  const created = await fetch(`${url}/students/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe) })
  t.equal(created.status, 201)
  t.match(server.output, /embedded in .*data/)
  const [probe = ''] = value('HEALTHCHECK').map((rest) => rest.slice(rest.indexOf('CMD ') + 4))
  const [checker = '', ...args] = JSON.parse(probe) as string[]
  t.strictSame(await run(checker, args, { env: environment }), { stdout: '', stderr: '' }, 'healthy')
  t.match(await run(checker, args, { env: { ...environment, PORT: String(await freePort()) } }).catch((error: unknown) => error), { code: 1 }, 'unhealthy where nothing listens')
  await t.rejects(writeFile(join('/proc', String(server.child.pid), 'root', app, 'new'), ''), { code: 'EROFS' }, 'its root is read-only')

  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
