import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Double, MongoClient, ObjectId, type Collection } from 'mongodb'
import t from 'tap'
import { check, find } from '../../embedded/index.js'
import { Storage } from '../../embedded/storage.js'
import { StoreProcess } from './processes.js'
import { directoryFor } from './support.js'

const writers = 16

/** The acknowledged writes of a round, at least. */
const load = 100

interface Expected {
  /** Acknowledged inserts, by hex id, with the last acknowledged gpa. */
  present: Map<string, number>
  /** Acknowledged deletes. */
  gone: Set<string>
  /** The last acknowledged count of each writer's counter, and how many increments since then were asked for. */
  counters: Map<number, { count: number, asked: number }>
  /** Who was told to have stored a key that others wanted too. */
  winners: Map<string, number>
  /** What was answered and can't be. */
  wrong: string[]
  acknowledged: number
}

interface Keyed {
  _id: string | number
  by?: number
  count?: number
}

/** What a writer had under way when the store was killed may or may not have happened: its document is left out of the check. */
async function write (writer: number, students: Collection, keyed: Collection<Keyed>, expected: Expected): Promise<void> {
  for (;;) {
    await raise(writer, keyed, expected)
    await contend(`round ${expected.acknowledged >> 6}`, writer, keyed, expected)
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

async function raise (writer: number, keyed: Collection<Keyed>, expected: Expected): Promise<void> {
  const counter = expected.counters.get(writer) ?? { count: 0, asked: 0 }
  expected.counters.set(writer, counter)
  counter.asked++
  const { count = NaN } = await keyed.findOneAndUpdate({ _id: writer }, { $inc: { count: 1 } }, { upsert: true, returnDocument: 'after' }) ?? {}
  if (!isCount(count, counter) || count === counter.count) expected.wrong.push(`counter ${writer}: ${count} after ${counter.count}`)
  Object.assign(counter, { count, asked: 0 })
  expected.acknowledged++
}

/** An increment that was under way at a kill has happened or not. */
function isCount (count: number | undefined, { count: acknowledged, asked }: { count: number, asked: number }): boolean {
  return count !== undefined && count >= acknowledged && count <= acknowledged + asked
}

/** Of several writers that store one key at once, one is told that it did. */
async function contend (_id: string, by: number, keyed: Collection<Keyed>, expected: Expected): Promise<void> {
  try {
    await keyed.insertOne({ _id, by })
  } catch (error) {
    if ((error as { code?: unknown }).code === 11000) return
    throw error // it was killed
  }
  if (expected.winners.has(_id)) expected.wrong.push(`${_id} was stored twice`)
  expected.winners.set(_id, by)
  expected.acknowledged++
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
  await students.createIndex({ gpa: 1, _id: 1 })
  const keyed = client.db('college').collection<Keyed>('keyed')
  const writing = Array.from({ length: writers }, (_, writer) => write(writer, students, keyed, expected).catch(() => {}))
  // at a random moment, but only once there is load, however slow the machine
  for (const before = expected.acknowledged; expected.acknowledged < before + load;) await sleep(10)
  await sleep(Math.random() * 300)
  const ended = await stop(store)
  await Promise.all(writing)
  await client.close()
  return ended
}

for (const [rounds, how, stop, wanted] of [
  [Number(process.env.KILL_ROUNDS ?? 5), 'kill -9', (store: StoreProcess) => store.kill(), [null, 'SIGKILL']],
  // a thread that is cut off in a commit would leave the exit hanging
  [2, 'process.exit', (store: StoreProcess) => store.exit(), [3, null]]
] as const) {
  t.test(`${rounds} times ${how} under load: the process ends, and no acknowledged write is lost`, async t => {
    const directory = await directoryFor(t)
    const expected: Expected = { present: new Map(), gone: new Set(), counters: new Map(), winners: new Map(), wrong: [], acknowledged: 0 }
    for (let round = 0; round < rounds; round++) t.same(await stopUnderLoad(new StoreProcess(directory), expected, stop), wanted)
    const store = new StoreProcess(directory)
    const { url = '' } = await store.answer
    const client = new MongoClient(url)
    const stored = new Map<string, number>()
    for await (const { _id, gpa } of client.db('college').collection('students').find({}, { batchSize: 10_000 })) stored.set(_id.toHexString(), gpa)
    const keyed = new Map<unknown, Keyed>()
    for await (const document of client.db('college').collection<Keyed>('keyed').find({}, { batchSize: 10_000 })) keyed.set(document._id, document)
    await client.close()
    await store.end()
    const missing = [...expected.present].filter(([id]) => !stored.has(id))
    const changed = [...expected.present].filter(([id, gpa]) => stored.has(id) && stored.get(id) !== gpa)
    const back = [...expected.gone].filter(id => stored.has(id))
    const miscounted = [...expected.counters].filter(([writer, counter]) => !isCount(keyed.get(writer)?.count, counter))
    const usurped = [...expected.winners].filter(([_id, by]) => keyed.get(_id)?.by !== by)
    t.comment('rounds | acknowledged | missing | changes lost | back | counters wrong | keys wrong')
    t.comment([rounds, expected.acknowledged, missing.length, changed.length, back.length, miscounted.length, usurped.length].join(' | '))
    t.ok(expected.acknowledged >= rounds * load, 'there was load')
    t.same(missing, [], 'no insert is missing')
    t.same(changed, [], 'no change is lost')
    t.same(back, [], 'no deleted one is back')
    t.same(miscounted, [], 'counters are exact')
    t.same(usurped, [], 'each key is with whom it was promised to')
    t.same(expected.wrong, [])
    t.ok(expected.winners.size > rounds, 'there were keys to contend for')
    await check(directory)
    const storage = await Storage.open(directory)
    const indexed = [...storage.entries.getRange({})].map(({ value }) => value.toString('hex'))
    const namespace = Buffer.from('college.students\0')
    const ofStudents = [...storage.documents.getKeys()].filter(key => key.subarray(0, namespace.length).equals(namespace))
    t.same(indexed.sort(), ofStudents.flatMap(key => [key, key]).map(key => key.toString('hex')).sort(), 'each document has its entry in both indexes, and each entry its document')
    await storage.close()
  })
}

t.test('a build of an index that kill -9 ends goes on at the next start where it was, and has every document', async t => {
  const directory = await directoryFor(t)
  const count = 30_000
  const documents = Array.from({ length: count }, (_, _id) => ({ _id, name: `name ${(_id * 7919) % count}` }))
  for (let round = 0; round < 3; round++) {
    const store = new StoreProcess(directory)
    const { url = '' } = await store.answer
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 500 })
    const students = client.db('college').collection<{ _id: number, name: string }>('students')
    if (round === 0) await students.insertMany(documents)
    const built = students.createIndex({ name: 1, _id: 1 }).then(() => true, () => false)
    if (round < 2) {
      await sleep(20)
      await store.kill()
    }
    t.equal(await built, round === 2)
    if (round === 2) t.equal(await students.countDocuments({ name: { $gte: '' } }), count)
    await client.close()
    if (round === 2) await store.end()
  }
  t.match(await check(directory), { documents: count })
  const storage = await Storage.open(directory)
  t.equal(storage.entries.getKeysCount(), count)
  await storage.close()
})

t.test('two processes: one has the directory, the other says which; after kill -9 the next start goes through', async t => {
  const directory = await directoryFor(t)
  const racers = [new StoreProcess(directory), new StoreProcess(directory)]
  const answers = await Promise.all(racers.map(({ answer }) => answer))
  const winner = racers[answers.findIndex(({ url }) => url !== undefined)]
  t.equal(answers.filter(({ url }) => url !== undefined).length, 1, 'one of two that start at once has it')
  t.match(answers.find(({ error }) => error !== undefined), { error: `Error: The store in ${directory} is in use by process ${winner?.child.pid}` })
  t.equal(await find(directory), answers.find(({ url }) => url !== undefined)?.url)
  await winner?.kill()
  t.equal(await find(directory), undefined)
  const next = new StoreProcess(directory)
  t.match(await next.answer, { url: String })
  t.same(await next.end(), [0, null], 'it ends by itself')
  t.same((await readdir(directory)).sort(), ['store.lock', 'store.mdb', 'store.mdb-lock'])
})
