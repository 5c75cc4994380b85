import promises, { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { copyApart } from '../../embedded/copy-apart.js'
import { backup, check, start } from '../../embedded/index.js'
import { takeLock } from '../../embedded/lock.js'
import { Storage } from '../../embedded/storage.js'
import { directoryFor } from './support.js'

const key = Buffer.from('college.students\0a')

t.test('a backup holds what was written before it, and a restore is a copy of its file', async t => {
  const [directory, target, restored] = [await directoryFor(t), `${await directoryFor(t)}/new/backup`, await directoryFor(t)]
  const storage = await Storage.open(directory)
  t.teardown(() => storage.close())
  await storage.write(() => storage.documents.putSync(key, Buffer.from('before')))
  const file = await backup(directory, target)
  await storage.write(() => storage.documents.putSync(key, Buffer.from('after')))
  t.equal(file, `${target}/store.mdb`)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.strictSame(await readdir(target), ['store.mdb'])

  await copyFile(file, `${restored}/store.mdb`)
  const again = await Storage.open(restored)
  t.equal(String(again.documents.get(key)), 'before')
  await again.write(() => again.documents.putSync(key, Buffer.from('later')))
  t.equal(String(again.documents.get(key)), 'later', 'and is a store like any other')
  await again.close()
})

t.test('a store that nobody has open can be backed up too', async t => {
  const [directory, target] = [await directoryFor(t), await directoryFor(t)]
  const store = await start({ path: directory })
  await store.close()
  await backup(directory, target)
  const copy = await start({ path: target })
  await copy.close()
})

t.test('nothing is written over, and what is no store is refused by name', async t => {
  const [directory, target, empty] = [await directoryFor(t), await directoryFor(t), await directoryFor(t)]
  await (await start({ path: directory })).close()
  await backup(directory, target)
  await t.rejects(backup(directory, target), { message: `${target}/store.mdb is there already, and is not written over` })
  await t.rejects(backup(empty, target), { message: `There is no store in ${empty}` })
  await writeFile(`${empty}/store.mdb`, Buffer.alloc(100_000))
  const other = await directoryFor(t)
  await t.rejects(backup(empty, other), /store\.mdb is damaged/)
  t.strictSame(await readdir(other), [], 'and leaves nothing behind')
})

/** A store with one document, of which one byte is another now. */
async function damagedStore (t: Test): Promise<string> {
  const directory = await directoryFor(t)
  const storage = await Storage.open(directory)
  await storage.write(() => {
    storage.collections.putSync(Buffer.from('college.students'), Buffer.from('{"indexes":[]}'))
    storage.documents.putSync(key, Buffer.from('a document'))
  })
  await storage.close()
  const bytes = await readFile(join(directory, 'store.mdb'))
  bytes.write('A', bytes.lastIndexOf('a document'))
  await writeFile(join(directory, 'store.mdb'), bytes)
  return directory
}

t.test('a store with a damaged document gives no backup that says nothing of it', async t => {
  const [directory, target] = [await damagedStore(t), await directoryFor(t)]
  const what = 'the document with the key 61 of college.students'
  const refused = { message: `Nothing was written: ${directory}/store.mdb has 1 damaged values, first ${what}` }
  await t.rejects(backup(directory, target), refused)
  const storage = await Storage.open(directory)
  const other = Buffer.from('college.students\0b')
  await storage.write(() => storage.documents.putSync(other, Buffer.from('another')))
  t.throws(() => storage.documents.get(key), { message: `The embedded store has damaged data, ${what}: restore it from a backup` })
  t.equal(String(storage.documents.get(other)), 'another')
  const held = await takeLock(directory)
  await t.rejects(backup(directory, target), refused, 'nor beside a process that has it')
  t.strictSame(await readdir(target), [])
  await held.release()
  await storage.close()
})

t.test('check tells what is damaged in a store or in a file, and whether someone is changing it', async t => {
  const directory = await directoryFor(t)
  await (await start({ path: directory })).close()
  t.match(await check(directory), { path: `${directory}/store.mdb`, documents: 0, hasChecksums: true })
  await copyFile(`${directory}/store.mdb`, `${directory}/monday.mdb`)
  const held = await takeLock(directory)
  await t.rejects(check(directory), { message: `The store in ${directory} is in use by process ${process.pid} (this one)` })
  t.match(await check(`${directory}/monday.mdb`), { documents: 0 }, 'a copy is in use by nobody')
  await held.release()
  const damaged = await damagedStore(t)
  await t.rejects(check(damaged), { message: `${damaged}/store.mdb has 1 damaged values among 1 documents; restore it from a backup:\nthe document with the key 61 of college.students` })
  await t.rejects(check(`${damaged}/missing`), { code: 'ENOENT' })
})

t.test('no process that copies has the id of the one that has the store, and one that is killed is told', async t => {
  const [directory, target] = [await directoryFor(t), await directoryFor(t)]
  await (await Storage.open(directory)).close()
  const [source, draft] = [`${directory}/store.mdb`, `${target}/draft.mdb`]
  const tried: unknown[] = []
  await copyApart(source, draft, pid => tried.push(pid) === 1)
  t.equal(new Set(tried).size, 2)
  t.ok((await stat(draft)).size > 0)
  await t.rejects(copyApart(source, draft, () => true), { message: /^Every process has the id/ })
  const killed = copyApart(source, draft, pid => {
    process.kill(Number(pid), 'SIGSEGV')
    return false
  })
  await t.rejects(killed, { message: `The store's file ${source} could not be copied: the process that read it ended by SIGSEGV. Stop the server and run student-course-api check` })
  await t.rejects(copyApart(`${directory}/missing.mdb`, draft, () => false), { message: /.+/ })
})

t.test('on Windows a file is synced by a handle that writes, and no folder is opened', async t => {
  const [directory, target] = [await directoryFor(t), await directoryFor(t)]
  await (await Storage.open(directory)).close()
  const { open } = promises
  const opened: unknown[] = []
  const intercept = t.intercept(promises, 'open', { value: (path: string, flags: string) => { opened.push([path.slice(target.length), flags]); return open(path, flags) } })
  syncBuiltinESMExports()
  await backup(directory, target, 'win32')
  intercept.restore()
  syncBuiltinESMExports()
  t.strictSame(opened, [[`/store.mdb.${process.pid}.new`, 'r+']])
})
