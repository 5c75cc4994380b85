import { once } from 'node:events'
import fs from 'node:fs'
import { copyFile, mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import { withChecksum } from '../../embedded/checksum.js'
import { MongoError } from '../../embedded/errors.js'
import { Gate } from '../../embedded/gate.js'
import { Room } from '../../embedded/room.js'
import { Storage } from '../../embedded/storage.js'
import { directoryFor } from './support.js'

const key = Buffer.from('key')
const a = Buffer.from('a')
const value = (bytes: number): Buffer => Buffer.alloc(bytes, 1)

t.test('writes of one turn share a transaction; a refused one undoes nothing of its neighbours', async t => {
  const storage = await Storage.open(await directoryFor(t))
  let commits = 0
  const transactionSync = storage.root.transactionSync
  t.intercept(storage.root, 'transactionSync', { value: (work: () => void) => { commits++; return transactionSync.call(storage.root, work) } })
  const results = await Promise.allSettled([
    storage.write(() => storage.documents.putSync(key, value(1))),
    storage.write(() => { throw new MongoError('BadValue', 'refused') }),
    storage.write(() => storage.documents.get(key)?.length)
  ])
  t.match(results, [{ status: 'fulfilled' }, { reason: { codeName: 'BadValue' } }, { value: 1 }])
  t.equal(commits, 1)
  t.same(storage.documents.get(key), value(1))
  await storage.close()
})

t.test('what the disk may not hold is not written, before lmdb finds out; less of it is, and all once there is space', async t => {
  let free = 1_200_000
  const storage = await Storage.open(await directoryFor(t), undefined, () => free)
  const put = (bytes: number): Promise<void> => storage.write(() => storage.put(storage.documents, key, value(bytes)))
  await t.rejects<unknown>(put(200_000), { codeName: 'OutOfDiskSpace', code: 14031 })
  t.equal(storage.documents.get(key), undefined)
  await put(100_000)
  t.same(storage.documents.get(key), value(100_000))
  const group = await Promise.allSettled(Array.from({ length: 9 }, () => put(1)))
  t.ok(group.every(({ status }) => status === 'rejected'), 'many small changes take more than their values')
  free = 0
  t.same(await storage.write(() => storage.documents.get(key)?.length), 100_000, 'what changes nothing needs no space')
  await t.rejects<unknown>(storage.write(() => storage.remove(storage.documents, key)), { codeName: 'OutOfDiskSpace', code: 14031 })
  free = 2_000_000
  await put(200_000)
  t.same(storage.documents.get(key), value(200_000))
  await storage.close()
})

/** Has LMDB's own writing fail with one of errno's numbers, as it does on a disk that says nothing before. */
function failWith (t: Test, storage: Storage, code: number, meanwhile: () => void): void {
  const transactionSync = storage.root.transactionSync
  const intercept = t.intercept(storage.root, 'transactionSync', {
    value: (work: () => void) => transactionSync.call(storage.root, () => {
      work()
      intercept.restore()
      meanwhile()
      throw Object.assign(new Error('it failed'), { code })
    })
  })
}

t.test('once LMDB itself could not write, nothing is tried again; reads go on, and so does the next start', async t => {
  const directory = await directoryFor(t)
  for (const [code, free, wanted] of [
    [28, 9e9, { codeName: 'OutOfDiskSpace' }], [27, 9e9, { codeName: 'OutOfDiskSpace' }], [-30792, 9e9, { codeName: 'OutOfDiskSpace' }],
    [5, 0, { codeName: 'OutOfDiskSpace' }], [5, 9e9, { message: 'it failed' }]
  ] as const) {
    let space = 9e9
    const storage = await Storage.open(directory, undefined, () => space)
    await storage.write(() => storage.put(storage.documents, key, value(code + 30792)))
    failWith(t, storage, code, () => { space = free })
    const warned = once(process, 'warning')
    const [failed] = await Promise.allSettled([storage.write(() => storage.put(storage.documents, key, value(2)))])
    t.match(failed, { reason: wanted })
    t.match(await warned, [{ message: /failed to write and only reads until it is started anew/ }])
    let tried = 0
    const [next] = await Promise.allSettled([storage.write(() => { tried++ })])
    t.match(next, { reason: wanted })
    t.equal(tried, 0, 'not even tried')
    t.same(storage.documents.get(key), value(code + 30792))
    await storage.close()
  }
})

t.test('a fault of the work itself fails its group and no later one', async t => {
  const storage = await Storage.open(await directoryFor(t))
  await t.rejects(storage.write(() => { throw new TypeError('a fault') }), { name: 'TypeError' })
  await storage.write(() => storage.put(storage.documents, key, value(3)))
  t.same(storage.documents.get(key), value(3))
  await storage.close()
})

t.test('the file is as long as what LMDB is about to write, and a limit on it is met before LMDB meets it', async t => {
  const directory = await directoryFor(t)
  const path = join(directory, 'store.mdb')
  const storage = await Storage.open(directory)
  const sizes = new Set<number>()
  for (let index = 0; index < 50; index++) {
    await storage.write(() => storage.put(storage.documents, Buffer.from(`key ${index}`), value(5000)))
    const { lastPageNumber } = storage.root.getStats() as { lastPageNumber: number }
    const { size } = await stat(path)
    sizes.add(size)
    t.ok(size > (lastPageNumber + 1) * 4096 + 100_000)
  }
  t.ok(sizes.size > 1 && sizes.size < 10, 'it grows in steps')
  await storage.close()
  const room = new Room(join(directory, 'missing'), () => 9e9, 'linux')
  t.throws(() => room.make(1, 1, 4096), { code: 'ENOENT' })
  t.doesNotThrow(() => new Room(join(directory, 'missing'), () => 9e9, 'win32').make(1, 1, 4096), 'on Windows LMDB does it')
})

t.test('once the gate is shut, for the process is about to end, nothing is written nor answered', async t => {
  const gate = new Gate()
  const storage = await Storage.open(await directoryFor(t), gate)
  await storage.write(() => storage.documents.putSync(key, value(1)))
  gate.shut()
  const late = storage.write(() => storage.documents.putSync(key, value(2))).then(() => 'answered')
  t.equal(await Promise.race([late, sleep(50, 'silent')]), 'silent')
  t.same(storage.documents.get(key), value(1))
  await storage.close()
})

t.test('what was written is there after a restart', async t => {
  const directory = await directoryFor(t)
  for (const bytes of [0, 1, 2]) {
    const storage = await Storage.open(directory)
    t.same(storage.documents.get(key), bytes === 0 ? undefined : value(bytes))
    await storage.write(() => storage.documents.putSync(key, value(bytes + 1)))
    await storage.close()
  }
  t.same((await readdir(directory)).sort(), ['store.mdb', 'store.mdb-lock'])
})

t.test('without room for a new store, or with a folder where its lock file belongs, opening it fails in words', async t => {
  const directory = await directoryFor(t)
  await mkdir(join(directory, 'store.mdb.new'))
  await writeFile(join(directory, 'store.mdb.new', 'x'), '')
  await t.rejects(Storage.open(directory), { code: /E/ })
  const full = await directoryFor(t)
  const intercept = t.intercept(fs, 'writeFileSync', { value: () => { throw new Error('ENOSPC: no space left on device') } })
  syncBuiltinESMExports()
  await t.rejects(Storage.open(full), { message: `The embedded store needs 1048576 bytes in ${full}: Error: ENOSPC: no space left on device` })
  intercept.restore()
  syncBuiltinESMExports()
  await mkdir(join(full, 'store.mdb-lock'))
  await t.rejects(Storage.open(full), { message: `${full}/store.mdb-lock has to be a file: remove what is there` })
})

t.test('a file that can not be made longer is a full disk to those who write, and nobody else', async t => {
  const storage = await Storage.open(await directoryFor(t))
  await storage.write(() => storage.put(storage.documents, key, value(1)))
  const { writeSync } = fs
  const intercept = t.intercept(fs, 'writeSync', { value: () => { throw new Error('EFBIG: file too large') } })
  syncBuiltinESMExports()
  await t.rejects(storage.write(() => storage.put(storage.documents, key, value(2_000_000))), /The store could not write: Error: EFBIG/)
  t.same(await storage.write(() => storage.documents.get(key)), value(1))
  intercept.restore()
  t.equal(fs.writeSync, writeSync)
  syncBuiltinESMExports()
  await storage.write(() => storage.put(storage.documents, key, value(2_000_000)))
  await storage.close()
})

t.test('a crash while the store was made leaves nothing in the way', async t => {
  const directory = await directoryFor(t)
  await writeFile(join(directory, 'store.mdb.new'), 'half')
  const storage = await Storage.open(directory)
  await storage.close()
  t.same((await readdir(directory)).sort(), ['store.mdb', 'store.mdb-lock'])
})

t.test('a file that was cut short or overwritten is refused by its name and left as it is, or has lost nothing', async t => {
  const directory = await directoryFor(t)
  const path = join(directory, 'store.mdb')
  const storage = await Storage.open(directory)
  for (let index = 0; index < 50; index++) await storage.write(() => storage.put(storage.documents, Buffer.from(`key ${index}`), value(1000)))
  const { lastPageNumber } = storage.root.getStats() as { lastPageNumber: number }
  await storage.close()
  await copyFile(path, `${path}.copy`)
  const { size } = await stat(path)
  for (const left of [0, 100, 4096, 8192, lastPageNumber * 2048, lastPageNumber * 4000]) {
    await copyFile(`${path}.copy`, path)
    await truncate(path, left)
    await t.rejects(Storage.open(directory), { message: /^The store's file .*\/store\.mdb is damaged \(it (is cut short|ends before its trees|has no sound meta page)\): restore it from a backup$/ }, `cut to ${left}`)
    t.equal((await stat(path)).size, left)
  }
  for (const left of [lastPageNumber * 4096 + 4096, size - 1]) {
    await copyFile(`${path}.copy`, path)
    await truncate(path, left)
    const cut = await Storage.open(directory)
    t.equal(cut.documents.getKeysCount(), 50, 'what was only kept free is no loss')
    await cut.close()
  }
  await writeFile(path, Buffer.alloc(size, 'garbage'))
  await t.rejects(Storage.open(directory), { message: /store\.mdb is damaged/ })
  await copyFile(`${path}.copy`, path)
  await (await Storage.open(directory)).close()
})

t.test('a file whose last pages were freed before they were written is whole', async t => {
  const directory = await directoryFor(t)
  const storage = await Storage.open(directory)
  const keys = Array.from({ length: 5000 }, (_, index) => Buffer.from(`key ${index}`))
  await storage.write(() => storage.documents.putSync(a, value(1)))
  await storage.write(() => {
    for (const one of keys) storage.documents.putSync(one, value(300))
    for (const one of keys.toReversed()) storage.documents.removeSync(one)
  })
  const { lastPageNumber } = storage.root.getStats() as { lastPageNumber: number }
  await storage.close()
  t.ok((await stat(join(directory, 'store.mdb'))).size < lastPageNumber * 4096, 'the file is shorter than its header says')
  const again = await Storage.open(directory)
  t.same(again.documents.get(a), value(1))
  await again.close()
})

t.test('a newer format and a foreign file are refused with a message that says so', async t => {
  const directory = await directoryFor(t)
  const path = join(directory, 'store.mdb')
  const storage = await Storage.open(directory)
  const format = Buffer.alloc(8)
  format.writeDoubleLE(5)
  const formatKey = Buffer.from('format')
  storage.root.transactionSync(() => storage.root.putSync(formatKey, withChecksum(formatKey, format)))
  await storage.close()
  await t.rejects(Storage.open(directory), { message: `The store ${path} has format 5; this version of the program reads formats up to 4` })
  const other = await directoryFor(t)
  const foreign = open({ path: join(other, 'store.mdb'), noSubdir: true, overlappingSync: false })
  await foreign.put('x', 1)
  await foreign.close()
  await t.rejects(Storage.open(other), { message: `${join(other, 'store.mdb')} is not a store of this program` })
})
