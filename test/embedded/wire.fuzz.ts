// Mutated frames against a store in a process of its own, for FUZZ_SECONDS. The seed that is printed gives the same frames again by FUZZ_SEED.
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { MongoClient } from 'mongodb'
import t, { type Test } from 'tap'
import { mutate, randomFrom, seedFrames } from './frames.js'
import { StoreProcess } from './processes.js'
import { directoryFor } from './support.js'

const seconds = Number(process.env.FUZZ_SECONDS ?? 60)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9)

const SEEDS = seedFrames()

/** Connections of a burst, and frames on each: fewer than the connections that there may be. */
const BURST = 40
const FRAMES = 10
/** How long a connection stays, so that what it left half stays for a while too. */
const HELD_BURSTS = 4

/** Several times what the store uses for all of that. */
const ANON_LIMIT_BYTES = 300e6

t.test(`mutated frames for ${seconds} s leave a store that answers, from seed ${seed}`, async (t) => {
  const { child, url } = await startStore(t)
  const pid = Number(child.pid)
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000 })
  t.teardown(() => client.close())
  const known = client.db('college').collection<{ _id: number, name: string }>('known')
  await known.insertOne({ _id: 1, name: 'Jane Doe' })
  const random = randomFrom(seed)
  const socketPath = decodeURIComponent(new URL(url).host)
  const held: Socket[][] = []
  const before = await anonBytesOf(pid)
  let [sent, mostBytes] = [0, before]
  for (const until = performance.now() + seconds * 1000; performance.now() < until; sent += BURST * FRAMES) {
    held.push(Array.from({ length: BURST }, () => attack(socketPath, random)))
    if (held.length > HELD_BURSTS) for (const socket of held.shift() ?? []) socket.destroy()
    await client.db('admin').command({ ping: 1 })
    const found = await known.findOne({ _id: 1 })
    if (found?.name !== 'Jane Doe') throw new Error(`the document is ${JSON.stringify(found)} after ${sent} frames`)
    mostBytes = Math.max(mostBytes, await anonBytesOf(pid))
  }
  for (const socket of held.flat()) socket.destroy()
  t.comment(`${sent} frames; anonymous memory ${Math.round(before / 1e6)} MB before them, ${Math.round(mostBytes / 1e6)} MB at most`)
  t.ok(sent >= BURST * FRAMES)
  t.equal(child.exitCode ?? child.signalCode, null, 'the process runs')
  t.ok(mostBytes < ANON_LIMIT_BYTES, `anonymous memory stays below ${ANON_LIMIT_BYTES / 1e6} MB`)
})

async function startStore (t: Test) {
  const store = new StoreProcess(await directoryFor(t))
  t.teardown(() => store.kill())
  const { url = '' } = await store.answer
  return { child: store.child, url }
}

/** The memory of a process that is no file's, from Linux's /proc. */
async function anonBytesOf (pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** Sends frames on a connection of its own; whatever comes back is read and means nothing. */
function attack (socketPath: string, random: () => number): Socket {
  const socket = connect(socketPath)
  socket.on('error', () => {}).resume()
  for (let sent = 0; sent < FRAMES; sent++) socket.write(mutate(SEEDS, random))
  return socket
}
