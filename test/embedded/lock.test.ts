import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chooseAddress, urlOf } from '../../embedded/address.js'
import { liveUrl, takeLock } from '../../embedded/lock.js'
import { processesOf } from '../../embedded/process.js'
import { directoryFor } from './support.js'

const { platform, pid } = process

interface Rival {
  pid?: number
  started?: string
  content?: object | string
}

/** The lock file of another process. */
async function rivalIn (directory: string, { pid = process.ppid, started = 'gone-1', content = '' }: Rival): Promise<string> {
  const path = join(directory, `store-${pid}-${started}.lock`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** A process that lives until the end of the test, with the name that its lock would have. */
async function livingProcess (t: Test): Promise<{ pid: number, started: string }> {
  const child = spawn('sleep', ['60'])
  t.teardown(() => child.kill())
  return lockNameOf(child.pid ?? 0)
}

async function lockNameOf (rivalPid: number): Promise<{ pid: number, started: string }> {
  const stat = await readFile(`/proc/${rivalPid}/stat`, 'utf8')
  const { own } = await processesOf('linux')
  return { pid: rivalPid, started: `${own.started.split('-')[0]}-${stat.split(') ')[1]?.split(' ')[19]}` }
}

t.test('a directory has one holder; its url is there for others from publish to release', async t => {
  const directory = await directoryFor(t)
  t.equal(await liveUrl(directory), undefined)
  const lock = await takeLock(directory, {}, platform)
  t.equal(await liveUrl(directory), undefined)
  await lock.publish('mongodb://x')
  t.equal(await liveUrl(directory), 'mongodb://x')
  t.equal((await stat(join(directory, (await readdir(directory))[0] ?? ''))).mode & 0o777, 0o600)
  await t.rejects(takeLock(directory, {}, platform), { message: `The store in ${directory} is in use by process ${pid} (this one)` })
  await lock.release()
  t.equal(await liveUrl(directory), undefined)
  t.same(await readdir(directory), [])
  t.equal(await liveUrl(join(directory, 'missing')), undefined)
})

t.test('a directory that can not be written to is an error of its own', async t => {
  await t.rejects(takeLock('/proc/self', {}, platform), { code: 'ENOENT' })
})

t.test('the lock of a dead process is taken over, and what it listened on goes', async t => {
  const directory = await directoryFor(t)
  const folder = join(directory, 'folder')
  const socketPath = join(folder, 'store.sock')
  await mkdir(folder)
  await writeFile(socketPath, '')
  const { space } = await processesOf(platform)
  await rivalIn(directory, { pid: 4_000_000, content: { space, socketPath, folder, url: 'mongodb://x' } })
  t.equal(await liveUrl(directory), undefined)
  const lock = await takeLock(directory, {}, platform)
  t.equal((await readdir(directory)).length, 1, 'only the new one is left')
  await lock.release()
})

t.test('a process id that now belongs to another process holds nothing, nor does one that died while it wrote', async t => {
  const directory = await directoryFor(t)
  await rivalIn(directory, { pid: process.ppid, content: { space: (await processesOf(platform)).space, url: 'mongodb://x' } })
  await rivalIn(directory, { pid: 4_000_000, content: '{"sp' })
  await writeFile(join(directory, 'store-x.lock'), '')
  const lock = await takeLock(directory, {}, platform)
  await lock.release()
  t.same(await readdir(directory), ['store-x.lock'])
})

t.test('a dead process that its parent has not noticed holds nothing', async t => {
  const directory = await directoryFor(t)
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'])
  t.teardown(() => parent.kill())
  const [output] = await once(parent.stdout, 'data')
  const zombie = await lockNameOf(Number(output))
  await rivalIn(directory, { ...zombie, content: { space: (await processesOf('linux')).space, url: 'mongodb://x' } })
  t.equal(await liveUrl(directory), 'mongodb://x')
  await once(spawn('sleep', ['0.3']), 'exit')
  t.equal(await liveUrl(directory), undefined)
})

t.test('a living holder is named and nothing of it is touched', async t => {
  const directory = await directoryFor(t)
  const rival = await livingProcess(t)
  const path = await rivalIn(directory, { ...rival, content: { space: (await processesOf('linux')).space, url: 'mongodb://x' } })
  const address = await chooseAddress(directory, platform)
  await t.rejects(takeLock(directory, address, platform), { message: `The store in ${directory} is in use by process ${rival.pid}` })
  t.same((await readdir(directory)).map(name => join(directory, name)), [path])
})

t.test('of two that start at once, one waits for what becomes of the other', async t => {
  const directory = await directoryFor(t)
  const rival = await livingProcess(t)
  const path = await rivalIn(directory, rival)
  await t.rejects(takeLock(directory, {}, platform), { message: new RegExp(`in use by process ${rival.pid}`) }, 'it is still starting')
  const taken = takeLock(directory, {}, platform)
  setTimeout(() => process.kill(rival.pid), 50)
  await (await taken).release()
  await t.rejects(stat(path), { code: 'ENOENT' }, 'it gave up')
})

t.test('a holder in another container is seen by whether its socket answers', async t => {
  const directory = await directoryFor(t)
  const socketPath = join(directory, 'other.sock')
  const content = { space: 'another boot or namespace', socketPath, url: 'mongodb://x' }
  await rivalIn(directory, { pid: 1, content })
  const server = createServer().listen(socketPath)
  await new Promise(resolve => server.once('listening', resolve))
  t.equal(await liveUrl(directory), 'mongodb://x')
  await t.rejects(takeLock(directory, {}, platform), { message: /in use by process 1/ })
  await new Promise(resolve => server.close(resolve))
  t.equal(await liveUrl(directory), undefined)
  await rivalIn(directory, { pid: 2, content: { space: 'elsewhere' } })
  await rivalIn(directory, { pid: 3, content: { space: 'elsewhere', url: 'mongodb://127.0.0.1:1' } })
  const lock = await takeLock(directory, {}, platform)
  t.equal((await readdir(directory)).length, 1)
  await lock.release()
})

t.test('where the start of a process is not to be had, its number counts', async t => {
  const directory = await directoryFor(t)
  const { space, own } = await processesOf('darwin')
  t.equal(space, hostname())
  await rivalIn(directory, { pid: 4_000_000, started: '1', content: { space, url: 'mongodb://x' } })
  await rivalIn(directory, { pid, started: '1', content: { space, url: 'mongodb://x' } })
  const lock = await takeLock(directory, {}, 'darwin')
  t.same(await readdir(directory), [`store-${pid}-${own.started}.lock`])
  await t.rejects(takeLock(directory, {}, 'darwin'), { message: /\(this one\)/ })
  await lock.release()
  await rivalIn(directory, { started: '1', content: { space, url: 'mongodb://x' } })
  await t.rejects(takeLock(directory, {}, 'darwin'), { message: new RegExp(`process ${process.ppid}`) })
  const kill = t.intercept(process, 'kill', { value: () => { throw Object.assign(new Error(), { code: 'EPERM' }) } })
  await t.rejects(takeLock(directory, {}, 'darwin'), { message: new RegExp(`process ${process.ppid}`) }, "someone else's process is one too")
  kill.restore()
})

t.test('a store listens on a socket in its directory, in a folder of its own, or on a port with a token', async t => {
  const inDirectory = await chooseAddress('/var/lib/college', 'linux')
  t.match(inDirectory, { socketPath: /^\/var\/lib\/college\/store-[0-9a-f]{8}\.sock$/, folder: undefined, token: undefined })
  t.match(urlOf(inDirectory, 0), /^mongodb:\/\/%2Fvar%2Flib%2Fcollege%2Fstore-[0-9a-f]{8}\.sock\/\?directConnection=true$/)
  const directory = await directoryFor(t)
  const elsewhere = await chooseAddress(join(directory, 'x'.repeat(100)), 'linux')
  const folder = elsewhere.folder ?? ''
  t.ok((elsewhere.socketPath ?? '').startsWith(`${folder}/store-`))
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  const { space } = await processesOf(platform)
  await rivalIn(directory, { pid: 4_000_000, content: { space, ...elsewhere } })
  await (await takeLock(directory, {}, platform)).release()
  await t.rejects(stat(folder), { code: 'ENOENT' })
  const port = await chooseAddress(directory, 'win32')
  t.match(port, { socketPath: undefined, token: /^[0-9a-f]{64}$/ })
  t.equal(urlOf(port, 4711), `mongodb://127.0.0.1:4711/?directConnection=true&appName=${port.token}`)
})
