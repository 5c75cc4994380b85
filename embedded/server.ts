import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { Connection } from './connection.js'
import { Gate } from './gate.js'
import { Cursors } from './cursors.js'
import { Storage } from './storage.js'
import { Sweeper, type SweeperOptions } from './sweeper.js'

const maxConnections = 256

export interface ServerOptions {
  directory: string
  /** The memory of the gate that a commit has to pass. */
  gate?: SharedArrayBuffer
  /** A Unix socket to listen on; without one, an ephemeral port of the loopback interface. */
  socketPath?: string
  /** What every connection has to bring in its handshake. */
  token?: string
  /** How long a client that does not read its replies may hold up the end. */
  closeTimeoutMs?: number
  /** When expired documents are removed. */
  expiry?: SweeperOptions
}

export interface Server {
  /** 0 on a Unix socket. */
  port: number
  storage: Storage
  sweeper: Sweeper
  close (): Promise<void>
}

/** Opens the store of a directory and serves it. */
export async function serve ({ directory, gate, socketPath, token, closeTimeoutMs = 2000, expiry }: ServerOptions): Promise<Server> {
  const storage = await Storage.open(directory, new Gate(gate))
  const sweeper = new Sweeper(storage, expiry)
  const cursors = new Cursors()
  const connections = new Set<Connection>()
  let connectionId = 0
  const server = createServer(socket => {
    const connection = new Connection(socket, { storage, cursors, connectionId: ++connectionId }, token)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })
  server.maxConnections = maxConnections
  server.listen(socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: socketPath })
  // The socket is there at once, and nothing is accepted before this turn ends.
  if (socketPath !== undefined) chmodSync(socketPath, 0o600)
  await once(server, 'listening')
  // Not null, since it listens.
  const address = server.address() as AddressInfo | string

  async function close (): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    for (const connection of connections) connection.close()
    const timer = setTimeout(() => connections.forEach(connection => connection.destroy()), closeTimeoutMs)
    await closed
    clearTimeout(timer)
    cursors.close()
    await sweeper.close()
    await storage.close()
  }

  return { port: typeof address === 'string' ? 0 : address.port, storage, sweeper, close }
}
