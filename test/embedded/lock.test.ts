import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { chooseAddress, takesSocket, urlOf } from '../../embedded/address.js'
import { liveUrl, refuseIfHeld, takeLock } from '../../embedded/lock.js'
import { locking } from '../../embedded/locking.js'
import { directoryFor } from './support.js'

const { platform, pid } = process
const absent = async () => { throw new Error('no build for this platform') }

/** What another process has left in the lock file. */
function leave (directory: string, content: object | string): Promise<void> {
  return writeFile(join(directory, 'store.lock'), typeof content === 'string' ? content : JSON.stringify(content))
}

for (const [how, load] of [['the package', undefined], ['flock(1), where the package has no build', absent]] as const) {
  t.test(`a directory has one holder by ${how}; its url is there for others from publish to release`, async t => {
    const tryLock = await locking(load)
    const directory = await directoryFor(t)
    t.equal(await liveUrl(directory, tryLock), undefined)
    const lock = await takeLock(directory, tryLock)
    t.equal(await liveUrl(directory, tryLock), undefined)
    lock.publish('mongodb://x')
    t.equal(await liveUrl(directory, tryLock), 'mongodb://x')
    t.equal((await stat(join(directory, 'store.lock'))).mode & 0o777, 0o600)
    await t.rejects(takeLock(directory, tryLock), { message: `The store in ${directory} is in use by process ${pid} (this one)` })
    t.equal(await liveUrl(directory, tryLock), 'mongodb://x', 'and is left as it was')
    await lock.release()
    await lock.release()
    t.equal(await liveUrl(directory, tryLock), undefined)
    t.same(await readdir(directory), ['store.lock'], 'the file stays, since another process may be waiting for it')
    await (await takeLock(directory, tryLock)).release()
  })
}

t.test('a directory that can not be written to is an error of its own, and where none is nothing lives', async t => {
  await t.rejects(takeLock('/proc/self'), { code: 'ENOENT' })
  const directory = await directoryFor(t)
  t.equal(await liveUrl(join(directory, 'missing')), undefined)
  await writeFile(join(directory, 'file'), '')
  t.equal(await liveUrl(join(directory, 'file')), undefined)
  await symlink('store.lock', join(directory, 'store.lock'))
  await t.rejects(liveUrl(directory), { code: 'ELOOP' })
})

t.test('a file system without locks is told in words, by either way of locking', async t => {
  const directory = await directoryFor(t)
  const without = () => { throw new Error('ENOLCK: no locks available') }
  const message = `The embedded store can't lock its folder ${directory}: ENOLCK: no locks available. Choose one on a file system with locks`
  await t.rejects(takeLock(directory, without), { message })
  await t.rejects(takeLock(directory, () => { throw 'text' }), { message: /: text\./ }) // eslint-disable-line no-throw-literal
  const byCommand = await locking(absent)
  const input = openSync('/proc/self/stat', 'r')
  t.teardown(() => closeSync(input))
  const path = process.env.PATH
  t.teardown(() => { process.env.PATH = path })
  process.env.PATH = ''
  t.throws(() => byCommand(input, true), { code: 'ENOENT' }, 'nor is there a flock')
  process.env.PATH = await directoryFor(t)
  await writeFile(join(process.env.PATH, 'flock'), '#!/bin/sh\necho "flock: 3: No locks available" >&2; exit 1\n', { mode: 0o755 })
  t.throws(() => byCommand(input, true), { message: 'flock: 3: No locks available' })
})

t.test('whoever only looks keeps no one from starting', async t => {
  const directory = await directoryFor(t)
  await leave(directory, '')
  const tryLock = await locking()
  const looking = openSync(join(directory, 'store.lock'), 'r')
  t.ok(tryLock(looking, true))
  const taken = takeLock(directory)
  setTimeout(() => closeSync(looking), 50)
  await (await taken).release()
})

t.test('what a dead process has left holds nothing, whatever it says, and what it listened on goes', async t => {
  const directory = await directoryFor(t)
  const folder = join(directory, 'folder')
  await mkdir(folder)
  const socketPath = join(folder, 'store.sock')
  await writeFile(socketPath, '')
  await writeFile(join(directory, 'store-1.sock'), '')
  const here = { pid, space: `${hostname()} ${await readlink('/proc/self/ns/pid')}` }
  for (const content of [{ ...here, socketPath, folder, url: 'mongodb://x' }, { ...here, name: 'store-1.sock', url: 'mongodb://x' }, '{"pi', '']) {
    await leave(directory, content)
    t.equal(await liveUrl(directory), undefined)
    const lock = await takeLock(directory)
    await lock.release()
  }
  t.same(await readdir(directory), ['store.lock'])
})

t.test('the holder is named, also one in another container, and nothing of it is touched', async t => {
  const directory = await directoryFor(t)
  const held = openSync(join(directory, 'store.lock'), 'w')
  t.teardown(() => closeSync(held))
  t.ok((await locking())(held, false))
  const inUse = `The store in ${directory} is in use by `
  await t.rejects(takeLock(directory), { message: `${inUse}another process` }, 'it has said nothing yet')
  await t.rejects(refuseIfHeld(directory), { message: `${inUse}another process` })
  await leave(directory, { pid, space: 'another', name: 'store-1.sock', url: 'mongodb://theirs' })
  await writeFile(join(directory, 'store-1.sock'), '')
  await t.rejects(takeLock(directory), { message: `${inUse}another process (pid ${pid} in its own container or on its own machine)` })
  t.same(await readdir(directory), ['store-1.sock', 'store.lock'])
  t.equal(await liveUrl(directory), undefined, 'its socket does not answer from here')
})

t.test("a holder's socket is found by the path that the directory has here", async t => {
  const directory = await directoryFor(t)
  const lock = await takeLock(directory)
  const address = await chooseAddress(directory, platform)
  const server = createServer().listen(address.socketPath)
  t.teardown(() => server.close())
  lock.announce(address)
  lock.publish('mongodb://as-it-is-called-there')
  t.equal(await liveUrl(directory), urlOf(address, 0))
  const elsewhere = join(directory, 'mounted')
  await symlink(directory, elsewhere)
  t.equal(await liveUrl(elsewhere), urlOf({ socketPath: join(elsewhere, (address.socketPath ?? '').slice(directory.length)) }, 0))
})

t.test('a holder that locks in another way is told by its socket', async t => {
  const directory = await directoryFor(t)
  const server = createServer().listen(join(directory, 'store-1.sock'))
  await new Promise(resolve => server.once('listening', resolve))
  await leave(directory, { pid: 1, space: 'another', name: 'store-1.sock', url: 'mongodb://x' })
  await t.rejects(takeLock(directory), { message: /in use by another process \(pid 1 / })
  await new Promise(resolve => server.close(resolve))
  await (await takeLock(directory)).release()
})

t.test('flock(1) and the package both keep their lock when whoever tried is gone', async t => {
  const directory = await directoryFor(t)
  const lock = await takeLock(directory, await locking(absent))
  const { status } = spawnSync('flock', ['-n', join(directory, 'store.lock'), 'true'])
  t.equal(status, 1)
  await lock.release()
  t.equal(spawnSync('flock', ['-n', join(directory, 'store.lock'), 'true']).status, 0)
})

t.test('a store listens on a socket in its directory, in a folder of its own, or on a port with a token', async t => {
  const inDirectory = await chooseAddress('/var/lib/college', 'linux', async () => true)
  t.match(inDirectory, { socketPath: /^\/var\/lib\/college\/store-[0-9a-f]{8}\.sock$/, folder: undefined, token: undefined })
  t.match(urlOf(inDirectory, 0), /^mongodb:\/\/%2Fvar%2Flib%2Fcollege%2Fstore-[0-9a-f]{8}\.sock\/\?directConnection=true$/)
  const directory = await directoryFor(t)
  const elsewhere = await chooseAddress(join(directory, 'x'.repeat(100)), 'linux')
  const folder = elsewhere.folder ?? ''
  t.ok((elsewhere.socketPath ?? '').startsWith(`${folder}/store-`))
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  const lock = await takeLock(directory)
  lock.announce(elsewhere)
  await lock.release()
  await t.rejects(stat(folder), { code: 'ENOENT' })
  const port = await chooseAddress(directory, 'win32')
  t.match(port, { socketPath: undefined, token: /^[0-9a-f]{64}$/ })
  t.equal(urlOf(port, 4711), `mongodb://127.0.0.1:4711/?directConnection=true&appName=${port.token}`)
})

t.test('where the directory takes no socket, the folder of its own does, and nothing is left of the attempt', async t => {
  const directory = await directoryFor(t)
  t.equal(await takesSocket(join(directory, 'a.sock')), true)
  t.equal(await takesSocket(join(directory, 'missing', 'a.sock')), false)
  t.same(await readdir(directory), [])
  const address = await chooseAddress(directory, 'linux', async () => false)
  t.match(address, { folder: String })
  const lock = await takeLock(directory)
  lock.announce(address)
  await lock.release()
})
