import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serialize } from 'bson'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import { backup, check } from '../../embedded/index.js'
import { withChecksum } from '../../embedded/checksum.js'
import { Collection } from '../../embedded/collection.js'
import { encodings } from '../../embedded/file.js'
import { types } from '../../embedded/bson.js'
import { formatKey, inspect } from '../../embedded/inspect.js'
import { collectionPrefix, documentKey, shownKey } from '../../embedded/keys.js'
import { Storage } from '../../embedded/storage.js'
import { runCli } from '../launch.js'
import { directoryFor } from './support.js'

const keys = Array.from({ length: 250 }, (_, index) => Buffer.from(`college.students\0${String(index).padStart(4, '0')}`))
const text = (key: Buffer): string => key.toString().repeat(1 + Number(key.subarray(-2)))

/** A store as the versions before checksums left it. */
async function oldStore (t: Test, format: number, sizeKey = 'size'): Promise<string> {
  const directory = await directoryFor(t)
  const root = open<Buffer, Buffer>({ path: join(directory, 'store.mdb'), noSubdir: true, overlappingSync: false, ...encodings })
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return bytes
  }
  const documents = root.openDB('documents', encodings)
  const collections = root.openDB('collections', encodings)
  root.transactionSync(() => {
    root.putSync(Buffer.from('format'), number(format))
    root.putSync(Buffer.from(sizeKey), number(4096))
    for (const key of keys) documents.putSync(key, Buffer.from(text(key)))
    if (format > 1) collections.putSync(Buffer.from('college.students'), Buffer.from('{"indexes":[]}'))
  })
  await root.close()
  return directory
}

for (const format of [1, 2]) {
  t.test(`a store of format ${format} gets its checksums at the first start, in one transaction, and keeps all that it has`, async t => {
    const directory = await oldStore(t, format)
    await t.rejects(Storage.open(directory, undefined, () => 0), /the disk is full/, 'not without room for them')
    t.match(await check(directory), { format, documents: keys.length, hasChecksums: false })
    for (let start = 0; start < 2; start++) {
      const storage = await Storage.open(directory)
      for (const key of keys) t.equal(String(storage.documents.get(key)), text(key))
      t.same([...storage.collections.getRange()].map(({ value }) => String(value)), ['{"indexes":[]}'])
      await storage.close()
      t.match(await check(directory), { format: 4, documents: keys.length, hasChecksums: true })
    }
  })
}

t.test('a store of format 3, which knew no indexes to sort by, becomes one of format 4 at its first start, and keeps all that it has', async t => {
  const directory = await directoryFor(t)
  const before = await Storage.open(directory)
  const three = Buffer.alloc(8)
  three.writeDoubleLE(3)
  await before.write(() => {
    before.root.putSync(formatKey, withChecksum(formatKey, three))
    before.put(before.collections, Buffer.from('college.students'), Buffer.from('{"indexes":[]}'))
    for (const key of keys) before.put(before.documents, key, Buffer.from(text(key)))
  })
  await before.close()
  await t.rejects(Storage.open(directory, undefined, () => 0), /the disk is full/)
  t.match(await check(directory), { format: 3, documents: keys.length, hasChecksums: true })
  const storage = await Storage.open(directory)
  for (const key of keys) t.equal(String(storage.documents.get(key)), text(key))
  await storage.close()
  t.match(await check(directory), { format: 4, documents: keys.length, hasChecksums: true })
})

t.test('check finds an entry without its document, a document without its entry, and one that is of another value', async t => {
  const directory = await directoryFor(t)
  const id = (n: number): Buffer => documentKey(collectionPrefix('college.students'), { name: '_id', type: types.int32, value: Buffer.from([n, 0, 0, 0]) })
  const faults: Array<[(storage: Storage) => void, RegExp]> = [
    [storage => storage.documents.removeSync(id(1)), /the index name of college\.students, whose entries are not those of its documents/],
    [storage => storage.entries.removeSync([...storage.entries.getKeys()][0] ?? id(1)), /the index name of college\.students/],
    [storage => storage.documents.putSync(id(2), Buffer.from(serialize({ _id: 2, name: 'other', at: new Date(5) }))), /the index name of college\.students/],
    [storage => storage.entries.putSync(Buffer.from('college.students\0\x1eentry'), id(1)), /the index entry with the key 1e656e747279 of college\.students, which is in no index/],
    [storage => storage.entries.putSync(Buffer.from('college.gone\0\x1eentry'), id(1)), /the index entry with the key 1e656e747279 of college\.gone/]
  ]
  for (const [fault, words] of faults) {
    const storage = await Storage.open(directory)
    const collection = new Collection(storage, 'college.students')
    await storage.write(() => { for (const key of [...storage.entries.getKeys()]) storage.entries.removeSync(key) })
    await collection.write(() => collection.save([
      { name: 'name', field: 'name', built: true }, { name: 'at', field: 'at', expireAfterSeconds: 5, built: true }, { name: 'half', field: 'half', built: false }
    ]))
    await collection.write(() => {
      for (const n of [1, 2, 3]) {
        collection.remove(id(n))
        collection.put(id(n), Buffer.from(serialize({ _id: n, name: `n${n}`, at: new Date(5), half: 1 })))
      }
      storage.entries.removeSync([...storage.entries.getKeys()].at(-1) ?? id(1))
    })
    await storage.close()
    t.match(await check(directory), { documents: 3, damaged: [] }, 'an index that is not built may lack entries')
    const again = await Storage.open(directory)
    await again.write(() => fault(again))
    await again.close()
    await t.rejects(check(directory), { message: words })
    t.same(inspect(join(directory, 'store.mdb')).damaged, [], 'a start does not look for it')
  }
})

t.test('a tree of a kind that no version has written is damage', async t => {
  const directory = await directoryFor(t)
  await (await Storage.open(directory)).close()
  const path = join(directory, 'store.mdb')
  const bytes = await readFile(path)
  const name = 'documents\0'
  // behind its name and 4 bytes stand the tree's flags
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes.writeUInt16LE(4, at + name.length + 4)
  await writeFile(path, bytes)
  t.throws(() => inspect(path), { message: /the tree documents\0 is of an unknown kind/ })
})

t.test('a store with a part that no version has written is damaged', async t => {
  const directory = await directoryFor(t)
  const storage = await Storage.open(directory)
  await storage.write(() => storage.root.putSync(Buffer.from('other'), Buffer.from('value')))
  await storage.close()
  t.throws(() => inspect(join(directory, 'store.mdb')), { message: /it has an unknown part/ })
})

t.test('a store of an older format is backed up as it is', async t => {
  const [directory, target] = [await oldStore(t, 2), await directoryFor(t)]
  await backup(directory, target)
  t.match(await check(target), { format: 2, documents: keys.length, hasChecksums: false })
  t.match(await runCli({}, `check ${target}`), { code: 0, output: /is sound: 250 documents\. It is of an older format/ })
})

/** A file with some bytes in place of others, all of them found once. */
async function altered (directory: string, from: string | Buffer, to: string | Buffer): Promise<string> {
  const path = join(directory, 'altered.mdb')
  await copyFile(join(directory, 'store.mdb'), path)
  const bytes = await readFile(path)
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) Buffer.from(to).copy(bytes, at)
  await writeFile(path, bytes)
  return path
}

t.test('what would hide documents is refused, though LMDB would read it', async t => {
  const directory = await directoryFor(t)
  const storage = await Storage.open(directory)
  await storage.write(() => {
    storage.collections.putSync(Buffer.from('college.students'), Buffer.from('{"indexes":[]}'))
    storage.entries.putSync(Buffer.from('college.students\0entry'), Buffer.from('of a document'))
    storage.documents.putSync(Buffer.from('college.students\0some key'), Buffer.from('some value'))
  })
  await storage.close()
  for (const [from, to, words] of [
    ['documents\0', 'documentz\0', /it has an unknown part/],
    ['{"indexes":[]}', '{"indexes":[ }', /the description of the collection college\.students/],
    ['college.students\0some', 'college.studentt\0some', /a document stands under the key of another/],
    [Buffer.from([0, 0, 0, 0, 0, 0, 16, 64]), Buffer.from([0, 0, 0, 0, 0, 0, 0, 64]), /its format can not be read/]
  ] as const) {
    const path = await altered(directory, from, to)
    t.throws(() => inspect(path), { message: words })
  }
  t.same(inspect(await altered(directory, 'of a document', 'of a d0cument')).damaged, ['the index entry with the key 656e747279 of college.students'])
  t.same(inspect(await altered(directory, 'some value', 'some valve')).damaged, ['the document with the key 736f6d65206b6579 of college.students'])
})

t.test('a store that holds something else beside its parts is damage', async t => {
  const directory = await oldStore(t, 2, 'another')
  t.throws(() => inspect(join(directory, 'store.mdb')), { message: /it has an unknown part/ })
})

t.test('a page that two parts of a store have is damage', async t => {
  const path = join(await oldStore(t, 2), 'store.mdb')
  const bytes = await readFile(path)
  // the number of its first page ends the description of a part, which stands behind its name
  const rootOf = (part: string) => bytes.lastIndexOf(`${part}\0`) + part.length + 41
  bytes.copy(bytes, rootOf('documents'), rootOf('collections'), rootOf('collections') + 8)
  await writeFile(path, bytes)
  t.throws(() => inspect(path), { message: /page \d+ is in use twice/ })
})

t.test('a format that can not be is damage, and so are meta pages in each other\'s place', async t => {
  for (const format of [1.5, 0, 3]) {
    const directory = await oldStore(t, format)
    t.throws(() => inspect(join(directory, 'store.mdb')), { message: /its format can not be read/ }, `${format}`)
  }
  const path = join(await oldStore(t, 2), 'store.mdb')
  const bytes = await readFile(path)
  const [first, second] = [Buffer.from(bytes.subarray(0, 4096)), Buffer.from(bytes.subarray(4096, 8192))]
  await writeFile(path, Buffer.concat([second, first, bytes.subarray(8192)]))
  t.throws(() => inspect(path), { message: /its meta pages are not those of two transactions/ })
})

t.test('a key is shown in words, with the id of its document where that is an ObjectId or text', async t => {
  const id = (type: number, value: Buffer) => documentKey(collectionPrefix('college.users'), { name: '_id', type, value })
  const text = Buffer.from('\x18\0\0\0userprofile::alice\0\0\0\0\0')
  t.equal(shownKey(id(types.string, text.subarray(0, 23))), "'userprofile::alice' of college.users")
  t.equal(shownKey(id(types.objectId, Buffer.alloc(12, 0xab))), `ObjectId('${'ab'.repeat(12)}') of college.users`)
  t.equal(shownKey(id(types.boolean, Buffer.from([1]))), 'with the key 0a01 of college.users')
  t.equal(shownKey(Buffer.from('college.users')), 'college.users')
})
