import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ObjectId, serialize } from 'bson'
import t, { type Test } from 'tap'
import { Collection } from '../../embedded/collection.js'
import { documentKey } from '../../embedded/keys.js'
import { fieldsOf } from '../../embedded/bson.js'
import { inspect } from '../../embedded/inspect.js'
import { Storage } from '../../embedded/storage.js'
import { randomFrom } from './frames.js'
import { directoryFor } from './support.js'

// `npm run damage` makes twenty times as many copies; DAMAGE_SEED gives those of another run again.
const copies = Number(process.env.DAMAGE_COPIES ?? 20)
const seed = Number(process.env.DAMAGE_SEED ?? 1)
const pageBytes = 4096

interface Outcome {
  directory: string
  refused?: string
  errors: string[]
  wrong: string[]
}

/** A store with several levels of pages, values beyond a page, index entries and free pages; and what is in it. */
async function storeIn (directory: string): Promise<void> {
  await mkdir(directory)
  const storage = await Storage.open(directory)
  const stored: Record<string, string> = {}
  for (const [namespace, count] of [['college.students', 700], ['college.users', 30]] as const) {
    const collection = new Collection(storage, namespace)
    const put = (first: number, last: number) => collection.write(() => {
      if (!collection.exists) collection.save([{ name: 'expiry', field: 'expires_at', expireAfterSeconds: 0, built: true }, { name: 'name_1__id_1', field: 'name', built: true }])
      for (let index = first; index < last; index++) {
        const _id = new ObjectId(index.toString(16).padStart(24, '5'))
        const document = Buffer.from(serialize({
          _id, name: `Jane Doe ${index}`, gpa: index / 7, course: 'x'.repeat(index % 90 === 0 ? 9000 : 150), ...(index % 5 ? {} : { expires_at: new Date(4e12) })
        }))
        const [id] = fieldsOf(document)
        const key = id && documentKey(collection.prefix, id)
        if (key === undefined) continue
        collection.put(key, document)
        stored[key.toString('hex')] = document.toString('hex')
      }
    })
    await put(0, count)
    // changed some at a time, so that pages become free
    for (let first = 0; first < count; first += 100) await put(first, Math.min(count, first + 40))
  }
  await storage.close()
  await writeFile(join(directory, '..', 'stored.json'), JSON.stringify(stored))
}

/** A process that examines stores one after the other; what it was at when it ended by a signal is told by name. */
class Examiner {
  private child: ChildProcess

  constructor (private readonly script: string) {
    this.child = this.start()
  }

  async examine (directory: string): Promise<Outcome> {
    const { signal, abort } = aborting()
    this.child.send(directory)
    const answered = once(this.child, 'message', { signal }).then(([answer]) => answer as Outcome)
    const ended = once(this.child, 'exit', { signal }).then(([code, killer]) => {
      this.child = this.start()
      return { directory, errors: [], wrong: [`ended with ${code ?? killer}`] }
    })
    const outcome = await Promise.any([answered, ended])
    abort()
    await Promise.allSettled([answered, ended])
    return outcome
  }

  end (): void {
    this.child.kill()
  }

  private start (): ChildProcess {
    return fork(this.script, [], { execArgv: [], env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' } })
  }
}

function aborting (): { signal: AbortSignal, abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

async function examined (t: Test, damage: (bytes: Buffer, random: () => number) => Buffer): Promise<Outcome[]> {
  const folder = await directoryFor(t)
  await storeIn(join(folder, 'sound'))
  const whole = await readFile(join(folder, 'sound', 'store.mdb'))
  const examiner = new Examiner(fileURLToPath(new URL('./damage-process.js', import.meta.url)))
  t.teardown(() => examiner.end())
  const random = randomFrom(seed)
  const outcomes: Outcome[] = []
  for (let copy = 0; copy < copies; copy++) {
    const directory = join(folder, 'copy')
    await mkdir(directory)
    await copyFile(join(folder, 'sound', 'store.mdb'), join(directory, 'store.mdb'))
    await writeFile(join(directory, 'store.mdb'), damage(Buffer.from(whole), random))
    outcomes.push(await examiner.examine(directory))
    await rm(directory, { recursive: true })
  }
  return outcomes
}

/** The pages that LMDB has written, without what is kept free behind them. */
function usedBytes (bytes: Buffer): number {
  const lastPage = bytes.readBigUInt64LE(144) > bytes.readBigUInt64LE(pageBytes + 144) ? bytes.readBigUInt64LE(144) : bytes.readBigUInt64LE(pageBytes + 144)
  return (Number(lastPage) + 1) * pageBytes
}

const damages: Array<[string, (bytes: Buffer, random: () => number) => Buffer]> = [
  ['one bit flipped', (bytes, random) => {
    const at = Math.floor(random() * usedBytes(bytes))
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    return bytes
  }],
  ['one page zeroed', (bytes, random) => {
    const page = Math.floor(random() * usedBytes(bytes) / pageBytes)
    return bytes.fill(0, page * pageBytes, (page + 1) * pageBytes)
  }],
  ['an end cut off or a sector of garbage', (bytes, random) => {
    const at = Math.floor(random() * usedBytes(bytes))
    if (random() < 0.5) return bytes.subarray(0, at)
    for (let offset = at; offset < Math.min(at + 512, bytes.length); offset++) bytes[offset] = Math.floor(random() * 256)
    return bytes
  }]
]

for (const [what, damage] of damages) {
  t.test(`of ${copies} copies with ${what}, none serves anything but what was stored, and none ends the process`, async t => {
    const outcomes = await examined(t, damage)
    const of = (isSo: (outcome: Outcome) => boolean) => outcomes.filter(isSo).length
    t.comment(`seed ${seed}: ${of(({ refused }) => refused !== undefined)} refused, ${of(({ errors }) => errors.length > 0)} with errors for documents`)
    for (const { refused, errors, wrong } of outcomes) {
      t.same(wrong, [])
      if (refused !== undefined) t.match(refused, /^Error: (The store's file [^ ]*store\.mdb is damaged \(.*\): restore it from a backup|.* is not a store of this program)$/)
      for (const error of new Set(errors)) t.match(error, /^MongoError: The embedded store has damaged data, the (document|index entry) .* of college\.\w+: restore it from a backup$/)
    }
    t.ok(of(({ refused, errors }) => refused !== undefined || errors.length > 0) > copies / 4, 'it was damage indeed')
  })
}

t.test('whatever byte of a header, of a node or of a list of free pages is another one, the file is read or refused, by an error in words', async t => {
  const folder = await directoryFor(t)
  await storeIn(join(folder, 'sound'))
  const path = join(folder, 'altered.mdb')
  await copyFile(join(folder, 'sound', 'store.mdb'), path)
  const { documents } = inspect(path)
  const descriptor = openSync(path, 'r+')
  t.teardown(() => closeSync(descriptor))
  const random = randomFrom(seed)
  const byte = Buffer.alloc(1)
  const words = new Set<string>()
  for (const at of structure(await readFile(path))) {
    readSync(descriptor, byte, 0, 1, at)
    const [before = 0] = byte
    const bit = 1 << Math.floor(random() * 8)
    for (const other of random() < 0.5 ? [before ^ bit] : [random() < 0.5 ? 0 : 255]) {
      writeSync(descriptor, Buffer.from([other]), 0, 1, at)
      try {
        const { documents: found } = inspect(path)
        if (found !== documents) t.fail(`${found} documents with ${other} for ${before} at ${at}`)
      } catch (error) {
        words.add(String(error).replaceAll(/\d+/g, 'N').replace(path, ''))
      }
      writeSync(descriptor, Buffer.from([before]), 0, 1, at)
    }
  }
  for (const one of words) t.match(one, /^Error: (The store's file .* is damaged \(.*\)|The store .* has format .*| ?is not a store)/)
  t.ok(words.size > 15, `${words.size} sorts of damage`)
})

/** Where the meta pages, the headers, some pointers and the first and last node of each page stand. */
function structure (bytes: Buffer): number[] {
  const positions: number[] = []
  for (let page = 0; page * pageBytes < usedBytes(bytes); page++) {
    const start = page * pageBytes
    const isMeta = page < 2
    const upper = bytes.readUInt16LE(start + 22) + 24
    const ranges = isMeta ? [[0, 160]] : [[0, 28], [upper, upper + 12], [pageBytes - 150, pageBytes - 130]]
    for (const [first = 0, last = 0] of ranges) for (let offset = first; offset < Math.min(last, pageBytes); offset += isMeta ? 1 : 2) positions.push(start + offset + (page % 2))
  }
  return positions
}
