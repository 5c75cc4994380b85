import { randomBytes } from 'node:crypto'
import { Binary, MongoClient, type Document } from 'mongodb'
import { database, type Side } from '../side.js'
import { chance, one } from '../values.js'
import { generic } from './read.js'
import type { Case } from './case.js'

/** What a handshake says that is the same on every server. */
const shown = ['maxBsonObjectSize', 'maxMessageSizeBytes', 'maxWriteBatchSize', 'logicalSessionTimeoutMinutes', 'minWireVersion',
  'readOnly', 'ok']

export const handshakes: Record<string, () => Case> = {
  ping () {
    const command = { ping: one([1, true, 'x']), ...generic() }
    return { run: side => side.command(command) }
  },
  hello () {
    const command = { hello: 1, ...chance(0.3) && { foo: 1 }, ...generic() }
    return { run: async side => handshake(await side.command(command), 'isWritablePrimary') }
  },
  ismaster () {
    const command = { ismaster: 1, ...generic() }
    return { run: async side => handshake(await side.command(command, { loose: true }), 'ismaster') }
  },
  endSessions () {
    const command = { endSessions: Array.from({ length: one([1, 2]) }, () => ({ id: new Binary(randomBytes(16), 4) })) }
    return { run: side => side.command(command) }
  },
  'a connection with the Stable API' () {
    return { rows: ['hello', 'hello.client'], run: side => connection(side, { serverApi: { version: '1', strict: true } }) }
  },
  'a connection without' () {
    return { rows: ['ismaster', 'ismaster.client'], run: side => connection(side, {}) }
  }
}

/** `writable` is the name of the field that says whether it takes writes. */
function handshake (reply: Document, writable: string): Document {
  return Object.fromEntries([...shown, writable].map(name => [name, reply[name]]))
}

async function connection ({ url, sent }: Side, options: object): Promise<unknown> {
  const client = new MongoClient(url, { appName: 'conformance', monitorCommands: true, ...options })
  client.on('commandStarted', ({ command }) => sent.push(command))
  const { ok } = await client.db(database).command({ ping: 1 })
  await client.close()
  return ok
}
