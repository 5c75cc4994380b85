import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Double, MongoClient, ObjectId, type Collection } from 'mongodb'
import t from 'tap'
import { find } from '../../embedded/index.js'
import { Storage } from '../../embedded/storage.js'
import { storeProcesses, type StoreProcess } from './processes.js'
import { directoryFor } from './support.js'

const writers = 16

/** The acknowledged writes of a round, at least. */
const load = 100

interface Expected {
  /** Acknowledged inserts, by hex id, with the last acknowledged gpa. */
  present: Map<string, number>
  /** Acknowledged deletes. */
  gone: Set<string>
  acknowledged: number
}

/** What a writer had under way when the store was killed may or may not have happened: its document is left out of the check. */
async function write (students: Collection, expected: Expected): Promise<void> {
  for (;;) {
    const _id = new ObjectId()
    const id = _id.toHexString()
    await students.insertOne({ _id, gpa: new Double(0), expires_at: later() })
    expected.present.set(id, 0)
    expected.acknowledged++
    const gpa = Math.random() * 4
    expected.present.delete(id)
    await students.findOneAndUpdate({ _id }, { $set: { gpa: new Double(gpa), expires_at: later() } })
    expected.present.set(id, gpa)
    expected.acknowledged++
    if (Math.random() < 0.5) continue
    expected.present.delete(id)
    await students.deleteOne({ _id })
    expected.gone.add(id)
    expected.acknowledged++
  }
}

function later (): Date {
  return new Date(Date.now() + 3_600_000 * Math.random() + 3_600_000)
}

async function stopUnderLoad (store: StoreProcess, expected: Expected, stop: (store: StoreProcess) => Promise<unknown>): Promise<unknown> {
  const { url = '' } = await store.answer
  const client = new MongoClient(url, {
    maxPoolSize: writers, retryWrites: false, serverSelectionTimeoutMS: 500, serverApi: { version: '1', strict: true, deprecationErrors: true }
  })
  const students = client.db('college').collection('students')
  await students.createIndex({ expires_at: 1 }, { expireAfterSeconds: 0 })
  const writing = Array.from({ length: writers }, () => write(students, expected).catch(() => {}))
  // at a random moment, but only once there is load, however slow the machine
  for (const before = expected.acknowledged; expected.acknowledged < before + load;) await sleep(10)
  await sleep(Math.random() * 300)
  const ended = await stop(store)
  await Promise.all(writing)
  await client.close()
  return ended
}

for (const [rounds, how, stop, wanted] of [
  [5, 'kill -9', (store: StoreProcess) => store.kill(), [null, 'SIGKILL']],
  // a thread that is cut off in a commit would leave the exit hanging
  [2, 'process.exit', (store: StoreProcess) => store.exit(), [3, null]]
] as const) {
  t.test(`${rounds} times ${how} under load: the process ends, and no acknowledged write is lost`, async t => {
    const spawn = await storeProcesses(t)
    const directory = await directoryFor(t)
    const expected: Expected = { present: new Map(), gone: new Set(), acknowledged: 0 }
    for (let round = 0; round < rounds; round++) t.same(await stopUnderLoad(spawn(directory), expected, stop), wanted)
    const store = spawn(directory)
    const { url = '' } = await store.answer
    const client = new MongoClient(url)
    const stored = new Map<string, number>()
    for await (const { _id, gpa } of client.db('college').collection('students').find({}, { batchSize: 10_000 })) stored.set(_id.toHexString(), gpa)
    await client.close()
    await store.end()
    const missing = [...expected.present].filter(([id]) => !stored.has(id))
    const changed = [...expected.present].filter(([id, gpa]) => stored.has(id) && stored.get(id) !== gpa)
    const back = [...expected.gone].filter(id => stored.has(id))
    t.comment(`${expected.acknowledged} writes acknowledged; missing ${missing.length}, changes lost ${changed.length}, back ${back.length}`)
    t.ok(expected.acknowledged >= rounds * load, 'there was load')
    t.same(missing, [], 'no insert is missing')
    t.same(changed, [], 'no change is lost')
    t.same(back, [], 'no deleted one is back')
    const storage = await Storage.open(directory)
    const indexed = [...storage.entries.getRange({})].map(({ value }) => value.toString('hex'))
    t.same(indexed.sort(), [...storage.documents.getKeys()].map(key => key.toString('hex')).sort(), 'each document has its index entry, and each entry its document')
    await storage.close()
  })
}

t.test('two processes: one has the directory, the other says which; after kill -9 the next start goes through', async t => {
  const spawn = await storeProcesses(t)
  const directory = await directoryFor(t)
  const racers = [spawn(directory), spawn(directory)]
  const answers = await Promise.all(racers.map(({ answer }) => answer))
  const winner = racers[answers.findIndex(({ url }) => url !== undefined)]
  t.equal(answers.filter(({ url }) => url !== undefined).length, 1, 'one of two that start at once has it')
  t.match(answers.find(({ error }) => error !== undefined), { error: `Error: The store in ${directory} is in use by process ${winner?.child.pid}` })
  t.equal(await find(directory), answers.find(({ url }) => url !== undefined)?.url)
  await winner?.kill()
  t.equal(await find(directory), undefined)
  const next = spawn(directory)
  t.match(await next.answer, { url: String })
  t.same(await next.end(), [0, null], 'it ends by itself')
  t.same((await readdir(directory)).sort(), ['store.mdb', 'store.mdb-lock'])
})
