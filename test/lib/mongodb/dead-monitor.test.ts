import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MongoClient } from 'mongodb'
import t from 'tap'
import { connect } from '../../../lib/mongodb/connect.js'
import { endDeadMonitor } from '../../../lib/mongodb/dead-monitor.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

/** What is used of the driver's inside. */
interface Monitor {
  connection: { socket: { destroy (): void } }
  requestCheck (): void
}

t.test('a check that begins while its connection ends is not the last one', async (t) => {
  const address = await fakeMongodb(t, () => hello)
  const client = await connect(`mongodb://${address}/?directConnection=true&heartbeatFrequencyMS=600`)
  const guard = new StoreGuard(client, 1_000)
  t.teardown(async () => {
    guard.close()
    await client.close()
  })
  await once(client, 'serverHeartbeatSucceeded')
  await sleep(520) // it checks twice a second at most
  const { topology } = client as unknown as { topology: { s: { servers: Map<string, { monitor: Monitor }> } } }
  const monitor = topology.s.servers.get(address)?.monitor
  const begun = once(client, 'serverHeartbeatStarted')
  const succeeded = once(client, 'serverHeartbeatSucceeded').then(() => 'succeeded')
  monitor?.connection.socket.destroy()
  monitor?.requestCheck()
  await begun
  t.equal(await Promise.race([succeeded, sleep(2_000, 'stuck')]), 'succeeded')
})

t.test('a driver that is made otherwise inside is left alone', async (t) => {
  for (const inside of [{}, { topology: {} }, { topology: { s: {} } }, ...[undefined, {}, { monitor: null }, { monitor: { connection: null } }, { monitor: { connection: {} } },
    { monitor: { connection: { socket: { destroyed: true } } } }].map((server) => ({ topology: { s: { servers: new Map([['a', server]]) } } }))]) {
    t.doesNotThrow(() => endDeadMonitor(inside as unknown as MongoClient, 'a'))
  }
})
