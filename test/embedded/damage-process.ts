import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Collection } from '../../embedded/collection.js'
import { openCopy, storePath } from '../../embedded/file.js'
import { everything } from '../../embedded/filter.js'
import { inspect } from '../../embedded/inspect.js'
import { planFor } from '../../embedded/plan.js'
import { Scan } from '../../embedded/scan.js'
import { Storage } from '../../embedded/storage.js'

// Reads all of each store that it is told, and says what came of it: `node damage-process.js`, run by tests, by fork().
const namespaces = ['college.students', 'college.users']

process.on('message', async (directory: string) => {
  process.send?.({ directory, ...await examine(directory) })
})

interface Outcome {
  refused?: string
  /** Errors for single documents. */
  errors: string[]
  /** Documents that were served in another way than they were stored, or not at all, without an error. */
  wrong: string[]
}

async function examine (directory: string): Promise<Outcome> {
  const outcome: Outcome = { errors: [], wrong: [] }
  // hex of key to hex of value, as it was before the damage
  const stored: Record<string, string> = JSON.parse(await readFile(join(directory, '..', 'stored.json'), 'utf8'))
  let storage: Storage
  try {
    storage = await Storage.open(directory)
  } catch (error) {
    return { ...outcome, refused: String(error) }
  }
  readEach(storage, stored, outcome)
  await readAll(storage, stored, outcome)
  await writeAndExpire(storage, outcome)
  readEach(storage, stored, outcome)
  await readByIndex(storage, stored, outcome)
  await storage.close()
  await copyOff(directory, Object.keys(stored).length, outcome)
  return outcome
}

function readEach (storage: Storage, stored: Record<string, string>, { errors, wrong }: Outcome): void {
  for (const [key, value] of Object.entries(stored)) {
    try {
      const read = storage.documents.get(Buffer.from(key, 'hex'))
      if (read?.toString('hex') !== value) wrong.push(`got ${key}: ${read?.toString('hex')}`)
    } catch (error) {
      errors.push(String(error))
    }
  }
}

async function readAll (storage: Storage, stored: Record<string, string>, { errors, wrong }: Outcome): Promise<void> {
  let count = 0
  try {
    for (const namespace of namespaces) {
      const scan = new Scan(new Collection(storage, namespace), everything)
      while (!scan.done) {
        for (const { key, value } of scan.slice()) {
          count++
          if (stored[key.toString('hex')] !== value.toString('hex')) wrong.push(`listed ${key.toString('hex')}`)
        }
      }
    }
    if (count !== Object.keys(stored).length) wrong.push(`listed ${count}`)
  } catch (error) {
    errors.push(String(error))
  }
}

/** Through the entries of an index to sort by. */
async function readByIndex (storage: Storage, stored: Record<string, string>, { errors, wrong }: Outcome): Promise<void> {
  try {
    for (const namespace of namespaces) {
      const collection = new Collection(storage, namespace)
      const { path, reverse } = planFor(collection, everything, [{ field: 'name', descending: true }])
      const scan = new Scan(collection, everything, { path, reverse })
      while (!scan.done) {
        for (const { key, value } of scan.slice()) if (stored[key.toString('hex')] !== value.toString('hex')) wrong.push(`sorted ${key.toString('hex')}`)
      }
    }
  } catch (error) {
    errors.push(String(error))
  }
}

/** Free pages are used again, and all index entries are read. */
async function writeAndExpire (storage: Storage, { errors }: Outcome): Promise<void> {
  const added = new Collection(storage, 'college.added')
  const students = new Collection(storage, 'college.students')
  for (let index = 0; index < 20; index++) {
    const key = Buffer.concat([added.prefix, Buffer.from([5, index, 0, 0])])
    await added.write(() => added.put(key, Buffer.alloc(500, index))).catch(error => errors.push(String(error)))
  }
  await students.write(() => students.removeExpired(0, 1000)).catch(error => errors.push(String(error)))
}

/** What a backup does, but for its own process. */
async function copyOff (directory: string, count: number, { wrong }: Outcome): Promise<void> {
  const root = openCopy(storePath(directory))
  const draft = join(directory, 'copy.mdb')
  await root.backup(draft, true)
  await root.close()
  const { documents } = inspect(draft)
  if (documents < count) wrong.push(`a copy of ${documents}`)
}
