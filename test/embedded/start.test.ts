import { once } from 'node:events'
import fs from 'node:fs'
import { mkdir, readdir, stat, symlink } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Double, MongoClient, MongoServerError, type MongoClientOptions } from 'mongodb'
import t, { type Test } from 'tap'
import { Gate } from '../../embedded/gate.js'
import { find, start } from '../../embedded/index.js'
import { listening, supervise } from '../../embedded/supervise.js'
import { directoryFor } from './support.js'

const stable: MongoClientOptions = { serverApi: { version: '1', strict: true, deprecationErrors: true } }

function clientFor (t: Test, url: string, options: MongoClientOptions = {}): MongoClient {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000, ...options })
  t.teardown(() => client.close())
  return client
}

async function session (t: Test, client: MongoClient): Promise<void> {
  const students = client.db('college').collection('students')
  const before = await students.countDocuments()
  const { insertedId } = await students.insertOne({ name: 'Jane Doe', gpa: new Double(3) })
  t.same(await students.findOneAndUpdate({ _id: insertedId }, { $set: { gpa: new Double(4) } }, { returnDocument: 'after', promoteValues: false }), {
    _id: insertedId, name: 'Jane Doe', gpa: new Double(4)
  })
  t.equal((await students.find().limit(1000).toArray()).length, before + 1)
  const { insertedIds } = await students.insertMany(Array.from({ length: 5000 }, (_, index) => ({ index })))
  t.equal((await students.find({}, { batchSize: 100 }).limit(1000).toArray()).length, 1000)
  t.equal(await students.countDocuments(), before + 5001)
  t.match(await students.deleteMany({ _id: { $in: Object.values(insertedIds) } }), { deletedCount: 5000 })
  t.equal(await students.estimatedDocumentCount(), before + 1)
  await t.rejects(students.insertOne({ _id: insertedId }), { code: 11000 })
  await t.rejects(students.findOne({ gpa: { $mod: [3, 0] } }), MongoServerError)
}

t.test('a store keeps its data from one start to the next, wherever it listens', async t => {
  const directory = await directoryFor(t)
  // Too deep for a socket: it goes into a folder elsewhere. The second time, as on Windows, to a port.
  const path = join(directory, 'x'.repeat(100))
  const first = await start({ path })
  t.equal((await stat(path)).mode & 0o777, 0o700)
  t.equal(await find(path), first.url)
  await symlink(path, join(directory, 'link'))
  await t.rejects(start({ path: join(directory, 'link') }), { message: `The store in ${path} is in use by process ${process.pid} (this one)` })
  for (const options of [{}, stable]) await session(t, clientFor(t, first.url, options))
  const folder = join(decodeURIComponent(new URL(first.url).host), '..')
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  await Promise.all([first.close(), first.close()])
  await first.close()
  await t.rejects(stat(folder), { code: 'ENOENT' })
  t.equal(await find(path), undefined)
  t.same((await readdir(path)).sort(), ['store.lock', 'store.mdb', 'store.mdb-lock'])

  const second = await start({ path }, 'win32')
  const client = clientFor(t, second.url, stable)
  t.equal(await client.db('college').collection('students').countDocuments(), 2)
  for (const wrong of [second.url.replace(/appName=./, 'appName=x'), second.url.replace(/&appName=.*/, '')]) {
    await t.rejects(clientFor(t, wrong, { serverSelectionTimeoutMS: 200 }).db('college').command({ ping: 1 }), { name: 'MongoServerSelectionError' })
  }
  await second.close()
})

t.test('a path may hold what a URL may not', async t => {
  const directory = await directoryFor(t)
  for (const name of ['100% %41 ä ?#@:,+']) {
    const store = await start({ path: join(directory, name) })
    t.ok(await clientFor(t, store.url).db('college').command({ ping: 1 }), name)
    await store.close()
  }
})

t.test('a start that fails says why and holds nothing', async t => {
  const directory = await directoryFor(t)
  await mkdir(join(directory, 'store.mdb'))
  await t.rejects(start({ path: directory }), { code: 'EISDIR' })
  t.same(await readdir(directory), ['store.lock', 'store.mdb'])
})

const heldLock = (released: () => void) => ({ announce () {}, publish () {}, release: async () => released() })

/** The store alone keeps no process alive, but this test waits for what becomes of it. */
function workerThat (t: Test, what: string): Worker {
  const waiting = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(waiting))
  return new Worker(`const { parentPort } = require('worker_threads'); parentPort.postMessage(5); parentPort.once('message', () => { ${what} })`, { eval: true })
}

t.test('a worker that fails later is reported at once, to the starter too, and again by close', async t => {
  const worker = workerThat(t, "throw new Error('broken')")
  t.equal(await listening(worker), 5)
  const before = process.listenerCount('SIGXFSZ')
  let released = 0
  const warned = once(process, 'warning')
  const { close, failed } = supervise(worker, heldLock(() => released++), new Gate())
  t.equal(process.listenerCount('SIGXFSZ'), before + 1)
  process.emit('SIGXFSZ', 'SIGXFSZ')
  worker.postMessage('fail')
  t.match(await warned, [{ message: 'The embedded store failed: Error: broken' }])
  t.match(await failed, { message: 'The embedded store failed: Error: broken', cause: { message: 'broken' } })
  await t.rejects(close(), { message: /broken/ })
  t.equal(released, 1)
  t.equal(process.listenerCount('SIGXFSZ'), before)
})

t.test('a worker that ends without a word has failed too, unless it was closed', async t => {
  const worker = workerThat(t, 'process.exit(7)')
  await listening(worker)
  const { failed } = supervise(worker, heldLock(() => {}), new Gate())
  worker.postMessage('end')
  t.match(await failed, { message: "The embedded store's thread ended with 7" })
  const closed = workerThat(t, 'parentPort.close()')
  await listening(closed)
  const supervised = supervise(closed, heldLock(() => {}), new Gate())
  await supervised.close()
  t.equal(await Promise.race([supervised.failed, sleep(20, 'silent')]), 'silent')
})

t.test('a start that can not tell where it listens ends its thread and gives the directory back', async t => {
  const directory = await directoryFor(t)
  const { writeSync } = fs
  const write = t.intercept(fs, 'writeSync', { value: refuseUrl })
  syncBuiltinESMExports()
  t.teardown(() => syncBuiltinESMExports())
  await t.rejects(start({ path: directory }), { code: 'ENOSPC' })
  write.restore()
  syncBuiltinESMExports()
  t.same((await readdir(directory)).sort(), ['store.lock', 'store.mdb', 'store.mdb-lock'], 'and nothing listens any more')
  await (await start({ path: directory })).close()

  function refuseUrl (descriptor: number, text: string, position: number): number {
    if (text.includes('"url"')) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    return writeSync(descriptor, text, position)
  }
})
