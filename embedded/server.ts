import { once } from 'node:events'
import { chmodSync, existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { Connections, type ConnectionsOptions } from './connections.js'
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
  /** What a sort that no index serves may keep in memory. */
  sortLimitBytes?: number
  /** When idle connections end, and how much memory all may use. */
  connections?: ConnectionsOptions
}

export interface Server {
  /** 0 on a Unix socket. */
  port: number
  storage: Storage
  sweeper: Sweeper
  cursors: Cursors
  connections: Connections
  close (): Promise<void>
}

/** Opens the store of a directory and serves it. */
export async function serve ({ directory, gate, socketPath, token, closeTimeoutMs = 2000, expiry, ...options }: ServerOptions): Promise<Server> {
  const storage = await Storage.open(directory, new Gate(gate))
  const sweeper = new Sweeper(storage, expiry)
  const cursors = new Cursors()
  const connections = new Connections(options.connections)
  const server = createServer(socket => connections.add(socket, { storage, cursors, sortLimitBytes: options.sortLimitBytes }, token))
  server.maxConnections = maxConnections
  server.listen(socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: socketPath })
  const listening = once(server, 'listening')
  // The socket is there at once, and nothing is accepted before this turn ends. Without one, listening fails, and says why.
  if (socketPath !== undefined && existsSync(socketPath)) chmodSync(socketPath, 0o600)
  await listening
  // Not null, since it listens.
  const address = server.address() as AddressInfo | string

  async function close (): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    const done = connections.close(closeTimeoutMs)
    await closed
    done()
    cursors.close()
    await sweeper.close()
    await storage.close()
  }

  return { port: typeof address === 'string' ? 0 : address.port, storage, sweeper, cursors, connections, close }
}
