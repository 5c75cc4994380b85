import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { syncBuiltinESMExports } from 'node:module'
import { Writable } from 'node:stream'
import threads from 'node:worker_threads'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { DEFAULTS } from '../../lib/mongodb/database-options.js'
import mongodb from '../../plugins/mongodb.js'
import { failingStore } from '../failing-store.js'
import { launch, listening, runCli } from '../launch.js'
import { janeDoe } from '../samples.js'

t.test('a server whose store fails ends with exit status 1, and clients do not wait for it', async (t) => {
  const folder = t.testdir()
  const { execArgv, fail } = await failingStore(folder)
  const server = launch(t, { DATA_DIR: `${folder}/data` }, { execArgv, counted: true })
  const origin = await listening(server)
  t.equal((await fetch(`${origin}/students/`)).status, 200)
  await fail()
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
  const { Worker } = threads
  const workers: InstanceType<typeof Worker>[] = []
  threads.Worker = class extends Worker {
    constructor (...parameters: ConstructorParameters<typeof Worker>) {
      super(...parameters)
      workers.push(this)
    }
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    threads.Worker = Worker
    syncBuiltinESMExports()
  })
  let log = ''
  const host = Fastify({ logger: { stream: new Writable({ write: (chunk, _encoding, done) => { log += chunk; done() } }) } })
  t.teardown(() => host.close().catch(() => {}))
  await host.register(mongodb, { ...DEFAULTS, embedded: t.testdir(), ...options })
  const [worker] = workers
  worker?.emit('error', new Error('planted'))
  await worker?.terminate()
  await sleep(50)
  return log
}

t.test('a plugin tells its host, or else the log', async (t) => {
  const told: Error[] = []
  t.notMatch(await hosted(t, { onStoreFailure: (error) => { told.push(error) } }), /"level":60/)
  t.match(told, [{ message: /planted/ }])
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
  // in every page that has the document, those that are free now too, but not in its entry of the index
  const field = Buffer.from('name\0\x0c\0\0\0Damaged Doe')
  for (let at = bytes.indexOf(field); at >= 0; at = bytes.indexOf(field, at + 1)) bytes.write('d', at + field.indexOf('Damaged'))
  await writeFile(file, bytes)

  const second = launch(t, env)
  const again = await listening(second)
  t.equal((await fetch(`${again}/students/${damaged}`)).status, 500)
  t.equal((await fetch(`${again}/students/${sound}`)).status, 200)
  t.equal((await fetch(`${again}/students/`)).status, 500)
  t.match(second.output, new RegExp(`Warning: The embedded store has damaged data, the document ObjectId\\('${damaged}'\\) of college\\.students: restore`))
  t.match(second.output, new RegExp(`"level":50.*"message":"The embedded store has damaged data, the document ObjectId\\('${damaged}'\\) of college\\.students`), 'not the code of a full disk')
  t.strictSame(await runCli(env, 'check').then(({ code }) => code), 1, 'in use')
  second.child.kill('SIGTERM')
  await second.exited
  t.match(await runCli(env, 'check'), { code: 1, output: new RegExp(`1 damaged values among 2 documents.*\nthe document ObjectId\\('${damaged}'\\) of college\\.students\n$`) })
  t.match(await runCli(env, `check ${env.DATA_DIR} ${env.DATA_DIR}`), { code: 2 })
  const empty = { DATA_DIR: `${t.testdirName}/other` }
  await runCli(empty, 'users list')
  t.strictSame(await runCli(empty, 'check'), { code: 0, output: `${empty.DATA_DIR}/store.mdb is sound: 0 documents.\n` })
})
