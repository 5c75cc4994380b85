import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { ObjectId, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import studentCourseApi from '../app.js'
import { build } from './build.js'
import { fakeMongodb, hello } from './fake-mongodb.js'
import { Proxy } from './proxy.js'
import { janeDoe } from './samples.js'

type Inject = (options: { method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, payload?: object }) => Promise<{ statusCode: number, json (): Document }>

/** How long a read took, in milliseconds, and its status. */
async function timed (inject: Inject, url: string): Promise<{ ms: number, statusCode: number }> {
  const started = performance.now()
  const { statusCode } = await inject({ method: 'GET', url })
  return { ms: performance.now() - started, statusCode }
}

/** The API on a server that answers all but the commands of these names, as long as it hangs. */
async function onHangingServer (t: Test, ...names: string[]) {
  const state = { hangs: true }
  const arrived: { command: Document, isLate: boolean }[] = []
  const stored = { _id: new ObjectId(), ...janeDoe }
  const address = await fakeMongodb(t, (command) => {
    if (names.some((name) => command[name])) {
      arrived.push({ command, isLate: !state.hangs })
      if (state.hangs) return undefined
    }
    if (command.find) return { ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: [stored] } }
    if (command.findAndModify) return { ok: 1, value: stored }
    return command.insert || command.delete ? { ok: 1, n: 1 } : hello
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(studentCourseApi, { url: `mongodb://${address}/?directConnection=true`, timeoutMs: 500 })
  return { app, state, arrived, path: `/students/${stored._id}`, inject: app.inject.bind(app) as Inject }
}

for (const [title, names, request] of [
  ['updates', ['findAndModify'], { method: 'PUT', payload: { name: 'x' } }],
  ['deletes', ['delete'], { method: 'DELETE' }],
  ['creates', ['insert'], { method: 'POST', payload: janeDoe }]
] as const) {
  t.test(`while ${title} hang, reads are answered in milliseconds, and no write arrives after its caller was told 503`, async (t) => {
    const { state, arrived, path, inject } = await onHangingServer(t, ...names)
    const url = request.method === 'POST' ? '/students/' : path
    const writes: Promise<{ statusCode: number, json (): Document }>[] = []
    const reads: { ms: number, statusCode: number }[] = []
    for (let n = 0; n < 150; n++) {
      for (let i = 0; i < 3; i++) writes.push(inject({ ...request, url }))
      if (n % 10 === 5) reads.push(await timed(inject, path), await timed(inject, '/students/'))
      await sleep(10)
    }
    const answers = await Promise.all(writes)
    t.ok(answers.every(({ statusCode }) => statusCode === 503))
    t.ok(reads.every(({ statusCode }) => statusCode === 200))
    const times = reads.map(({ ms }) => ms).sort((a, b) => a - b)
    const [median = Infinity, slowest = Infinity] = [times[times.length >> 1], times.at(-1)]
    t.ok(median < 50, `half of the reads took ${Math.round(median)} ms`)
    t.ok(slowest < 400, `and the slowest ${Math.round(slowest)} ms`)

    const sent = () => arrived.flatMap(({ command }) => command.documents ?? [command]).length
    const unsent = answers.filter((answer) => answer.json().detail.endsWith('Nothing was changed.')).length
    // the server may still have to read what was sent before
    for (let tries = 0; tries < 100 && sent() + unsent < answers.length; tries++) await sleep(20)
    t.equal(sent() + unsent, answers.length, 'each was either sent or told that nothing was changed')
    state.hangs = false
    await sleep(100) // for what might still be under way
    t.strictSame(arrived.filter(({ isLate }) => isLate), [])
    t.ok((await inject({ ...request, url })).statusCode < 300, 'and it serves again')
  })
}

t.test('connections that a network swallows cost one deadline, not one each', async (t) => {
  const proxy = new Proxy()
  await proxy.start()
  const { app, create } = await build(t, { client: undefined, url: proxy.url, timeoutMs: 500 })
  t.teardown(() => proxy.stop())
  const { id } = await create()
  const inject = app.inject.bind(app) as Inject
  const change = async () => inject({ method: 'PUT', url: `/students/${id}`, payload: { name: 'x' } })
  for (let round = 0; proxy.connections < 16 && round < 50; round++) await Promise.all(Array.from({ length: 32 }, change))
  t.ok(proxy.connections >= 16, `${proxy.connections} connections`)

  proxy.swallow()
  const started = performance.now()
  let lost = 0
  while ((await timed(inject, `/students/${id}`)).statusCode === 503) lost++
  t.ok(performance.now() - started < 1_500, `${lost} reads lost in ${Math.round(performance.now() - started)} ms`)
  for (let n = 0; n < 20; n++) t.equal((await timed(inject, `/students/${id}`)).statusCode, 200)
})

t.test('a database that answers garbage costs the one connection', async (t) => {
  let garbage = 1
  const address = await fakeMongodb(t, (command, _drop, write) => {
    if (command.find && garbage-- > 0) {
      write(Buffer.from('ffffffff00000000', 'hex')) // a message of length -1
      return undefined
    }
    return command.find ? { ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: [] } } : hello
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(studentCourseApi, { url: `mongodb://${address}/?directConnection=true` })
  const statuses = []
  for (let n = 0; n < 3; n++) {
    statuses.push((await app.inject('/students/')).statusCode)
    await sleep(20) // in which the driver looks at the server anew
  }
  t.strictSame(statuses, [503, 200, 200])
})
