import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { build } from './build.js'
import { Proxy } from './proxy.js'
import { janeDoe } from './samples.js'

type Inject = Awaited<ReturnType<typeof build>>['inject']

async function buildBehindProxy (t: Parameters<typeof build>[0], options: { onStoreChange?: (change: string) => void } = {}) {
  const proxy = new Proxy()
  await proxy.start()
  const lines: { level: number, msg: string }[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const { app, inject, create } = await build(t, { client: undefined, url: proxy.url, ...options }, { logger: { level: 'info', stream } })
  t.teardown(() => proxy.stop())
  const { id } = await create()
  return { proxy, app, inject, path: `/students/${id}`, lines }
}

/** Every route's answer and how long the slowest took, asked at the same time. */
async function askAll (inject: Inject, path: string) {
  const started = performance.now()
  const [list, show, create, update, remove] = await Promise.all([
    inject('GET', '/students/'), inject('GET', path),
    inject('POST', '/students/', janeDoe), inject('PUT', path, { name: 'x' }), inject('DELETE', path)
  ])
  return { reads: [list, show], writes: [create, update, remove], ms: performance.now() - started }
}

async function recovers (inject: Inject, path: string): Promise<boolean> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await sleep(100)) {
    if ((await inject('GET', path)).statusCode !== 503) return true
  }
  return false
}

/** Waits until the driver's monitor has noticed by itself: from then on no request waits for the server. */
async function isNoticed (inject: Inject, path: string): Promise<boolean> {
  for (const deadline = performance.now() + 15_000; performance.now() < deadline; await sleep(100)) {
    const started = performance.now()
    if ((await inject('GET', path)).statusCode === 503 && performance.now() - started < 100) return true
  }
  return false
}

for (const [outage, begin, end] of [
  ['gone', (proxy: Proxy) => proxy.stop(), (proxy: Proxy) => proxy.start()],
  ['frozen', async (proxy: Proxy) => proxy.freeze(), async (proxy: Proxy) => proxy.thaw()]
] as const) {
  t.test(`when the server is ${outage}, every route answers 503 within 2 s, and serves again when it is back`, async (t) => {
    const { proxy, inject, path } = await buildBehindProxy(t)
    await begin(proxy)

    const { reads, writes, ms } = await askAll(inject, path)
    t.ok(ms < 2_000, `within ${Math.round(ms)} ms`)
    for (const answer of [...reads, ...writes]) {
      t.equal(answer.statusCode, 503)
      t.equal(answer.headers['retry-after'], '2')
      t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    }
    for (const answer of reads) t.equal(answer.json().detail, 'The database is out of reach. Try again later.')
    const effects = writes.map((answer) => answer.json().detail.replace('The database is out of reach. ', ''))
    const possible = outage === 'gone' ? ['Nothing was changed.'] : ['Nothing was changed.', 'The change may have been applied.']
    for (const effect of effects) t.ok(possible.includes(effect), effect)

    await end(proxy)
    t.ok(await recovers(inject, path))
    const [, update, remove] = effects
    const { statusCode, ...answer } = await inject('GET', path)
    if (remove === 'Nothing was changed.') t.equal(statusCode, 200)
    if (statusCode === 200 && update === 'Nothing was changed.') t.equal(answer.json().name, janeDoe.name)
    t.equal((await inject('POST', '/students/', janeDoe)).statusCode, 201)
  })

  t.test(`when the server is ${outage}, those who wait for others have their answer in the same time`, async (t) => {
    const { proxy, inject, path } = await buildBehindProxy(t)
    await begin(proxy)
    const started = performance.now()
    const answers = await Promise.all(Array.from({ length: 100 }, async (_, n) =>
      inject(n % 3 === 0 ? 'POST' : 'GET', n % 3 === 1 ? path : '/students', n % 3 === 0 ? janeDoe : undefined)))
    const ms = performance.now() - started
    t.ok(ms < 2_000, `within ${Math.round(ms)} ms`)
    for (const { statusCode } of answers) t.equal(statusCode, 503)
    await end(proxy)
    t.ok(await recovers(inject, path))
  })

  t.test(`closing does not wait for a server that is ${outage}`, async (t) => {
    const { proxy, app } = await buildBehindProxy(t)
    await begin(proxy)
    const started = performance.now()
    await app.close()
    t.ok(performance.now() - started < 2_000)
    await end(proxy)
  })

  t.test(`once the server is known to be ${outage}, the answer comes at once and says that nothing was changed`, async (t) => {
    const { proxy, inject, path, lines } = await buildBehindProxy(t)
    await begin(proxy)
    t.ok(await isNoticed(inject, path))

    const { reads, writes, ms } = await askAll(inject, path)
    t.ok(ms < 200, `within ${Math.round(ms)} ms`)
    for (const answer of reads) t.equal(answer.statusCode, 503)
    for (const answer of writes) t.equal(answer.json().detail, 'The database is out of reach. Nothing was changed.')

    await end(proxy)
    t.ok(await recovers(inject, path))
    t.equal((await inject('GET', path)).statusCode, 200, 'and nothing was changed')
    const told = lines.map(({ msg }) => msg)
    t.equal(told.filter((text) => text.startsWith('database lost')).length, 1)
    t.equal(told.filter((text) => text === 'database back').length, 1)
    t.notMatch(JSON.stringify(lines), /"stack"/, 'an outage is no error with a stack for each request')
  })
}

t.test('a host that takes the changes of the database has no lines for them', async (t) => {
  const changes: string[] = []
  const { proxy, inject, path, lines } = await buildBehindProxy(t, { onStoreChange: (change) => { changes.push(change) } })
  await proxy.stop()
  t.ok(await isNoticed(inject, path))
  await proxy.start()
  t.ok(await recovers(inject, path))
  t.strictSame(changes, ['lost', 'back'])
  t.notMatch(JSON.stringify(lines), /database (lost|back)/)
})
