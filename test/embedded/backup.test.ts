import { copyFile, readdir, stat, writeFile } from 'node:fs/promises'
import t from 'tap'
import { backup, start } from '../../embedded/index.js'
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
  await t.rejects(backup(empty, other), /store\.mdb is damaged or cut short/)
  t.strictSame(await readdir(other), [], 'and leaves nothing behind')
})
