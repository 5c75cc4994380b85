import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Writable } from 'node:stream'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type mongodb from '../../plugins/mongodb.js'
import { launch, listening, runCli } from '../launch.js'
import { janeDoe } from '../samples.js'
import { url } from '../store.js'

t.test('a server whose store fails ends with exit status 1, and clients do not wait for it', async (t) => {
  const folder = t.testdir()
  // the only way into the store's thread from outside
  const preload = `import { isMainThread } from 'node:worker_threads'; import { existsSync } from 'node:fs'
if (!isMainThread) setInterval(() => { if (existsSync('${folder}/fail')) throw new Error('planted') }, 20)`
  await writeFile(`${folder}/preload.mjs`, preload)
  const server = launch(t, { DATA_DIR: `${folder}/data`, NODE_OPTIONS: `--import=${folder}/preload.mjs` })
  const origin = await listening(server)
  t.equal((await fetch(`${origin}/students/`)).status, 200)
  await writeFile(`${folder}/fail`, '')
  const began = performance.now()
  for (let isUp = true; isUp;) {
    isUp = await fetch(`${origin}/students/`).then(({ status }) => status === 200, () => false)
    if (isUp) await sleep(10)
  }
  t.strictSame(await Promise.race([server.exited, sleep(8_000, 'still there')]), { code: 1, signal: null })
  t.ok(performance.now() - began < 8_000)
  t.match(server.output, /"level":60.*The embedded store failed: Error: planted/)
  t.ok(existsSync(`${folder}/data/store.mdb`))
})

/** The plugin in a host, on a store whose thread fails once it has started. */
async function hosted (t: Test, options: { onStoreFailure?: (error: Error) => void }) {
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => { fail = resolve })
  const { default: plugin } = await t.mockImport<{ default: typeof mongodb }>('../../plugins/mongodb.js', {
    '../../embedded/index.js': { start: async () => ({ url, failed, close: async () => {} }) }
  })
  let log = ''
  const host = Fastify({ logger: { stream: new Writable({ write: (chunk, _encoding, done) => { log += chunk; done() } }) } })
  t.teardown(() => host.close())
  await host.register(plugin, { embedded: 'x', ...options })
  fail(new Error('planted'))
  await sleep(0)
  return log
}

t.test('a plugin tells its host, or else the log', async (t) => {
  const told: Error[] = []
  t.equal(await hosted(t, { onStoreFailure: (error) => { told.push(error) } }), '')
  t.match(told, [{ message: 'planted' }])
  t.match(await hosted(t, {}), /"level":60.*planted.*this app has no database any more/)
})

t.test('a damaged student is 500, named in the log, and takes no other along', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const first = launch(t, env)
  const create = async (origin: string, name: string) => {
    const answer = await fetch(`${origin}/students/`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...janeDoe, name })
    })
    return (await answer.json() as { id: string }).id
  }
  const origin = await listening(first)
  const [damaged, sound] = [await create(origin, 'Damaged Doe'), await create(origin, 'Sound Doe')]
  first.child.kill('SIGTERM')
  await first.exited
  const file = `${env.DATA_DIR}/store.mdb`
  const bytes = await readFile(file)
  // in every page that has it, those that are free now too
  for (let at = bytes.indexOf('Damaged Doe'); at >= 0; at = bytes.indexOf('Damaged Doe', at + 1)) bytes.write('d', at)
  await writeFile(file, bytes)

  const second = launch(t, env)
  const again = await listening(second)
  t.equal((await fetch(`${again}/students/${damaged}`)).status, 500)
  t.equal((await fetch(`${again}/students/${sound}`)).status, 200)
  t.equal((await fetch(`${again}/students/`)).status, 500)
  t.match(second.output, new RegExp(`Warning: The embedded store has damaged data, the document ObjectId\\('${damaged}'\\) of college\\.students: restore`))
  t.match(second.output, /"level":50.*InternalError/, 'not the code of a full disk')
  t.strictSame(await runCli(t, env, 'check').then(({ code }) => code), 1, 'in use')
  second.child.kill('SIGTERM')
  await second.exited
  t.match(await runCli(t, env, 'check'), { code: 1, output: new RegExp(`1 damaged values among 2 documents.*\nthe document ObjectId\\('${damaged}'\\) of college\\.students\n$`) })
  t.match(await runCli(t, env, `check ${env.DATA_DIR} ${env.DATA_DIR}`), { code: 2 })
  const empty = { DATA_DIR: `${t.testdirName}/other` }
  await runCli(t, empty, 'users list')
  t.strictSame(await runCli(t, empty, 'check'), { code: 0, output: `${empty.DATA_DIR}/store.mdb is sound: 0 documents.\n` })
})
