import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Outages } from '../../server/outages.js'
import { launch, listening } from '../launch.js'
import { Proxy } from '../proxy.js'

const lost = 'database lost: requests that need it are answered 503'

function outages () {
  const lines: string[] = []
  const log = { error: (text: string) => { lines.push(text) }, info: (text: string) => { lines.push(text) } }
  return { told: new Outages<string>(log), lines: () => lines.splice(0) }
}

t.test('an outage that several processes see is one line, and its end another', async (t) => {
  const { told, lines } = outages()
  told.has('a')
  told.has('b')
  t.strictSame(lines(), [], 'a start without an outage says nothing')
  told.changed('a', 'lost')
  told.changed('b', 'lost')
  t.strictSame(lines(), [lost])
  told.changed('a', 'back')
  t.strictSame(lines(), [])
  told.changed('b', 'back')
  t.strictSame(lines(), ['database back'])
  told.changed('a', 'lost')
  told.changed('a', 'back')
  t.strictSame(lines(), [lost, 'database back'])
})

t.test('a process that ends without the database does not bring it back, and one that starts with it does', async (t) => {
  const { told, lines } = outages()
  told.changed('a', 'lost')
  told.ended('a')
  t.strictSame(lines(), [lost])
  told.changed('b', 'lost')
  told.ended('b')
  t.strictSame(lines(), [], 'it is still the same outage')
  told.has('c')
  t.strictSame(lines(), ['database back'])
})

t.test('a server of two workers tells of a database that goes and comes back by one line each', async (t) => {
  const proxy = new Proxy()
  await proxy.start()
  t.teardown(() => proxy.stop())
  const server = launch(t, { MONGODB_URL: proxy.url, WORKERS: '2', METRICS: 'on' }, { counted: true })
  const url = await listening(server)
  // each connection goes to the worker whose turn it is
  const isUpInBoth = async () => (await Promise.all([1, 2, 3, 4].map(async () => fetch(`${url}/readyz`, { headers: { connection: 'close' } })))).every(({ ok }) => ok)
  const served = () => new Set([...server.output.matchAll(/"pid":(\d+),.*"path":"\/nope"/g)].map(([, pid]) => pid)).size
  while (served() < 2) await fetch(`${url}/nope`, { headers: { connection: 'close' } })
  await proxy.stop()
  await server.prints(/database lost/)
  await sleep(1_500) // for the other one
  await proxy.start()
  await server.prints(/database back/)
  t.ok(await isUpInBoth())
  const told = [...server.output.matchAll(/"msg":"(database [^"]*)"/g)].map(([, text]) => text)
  t.strictSame(told, [lost, 'database back'])
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
