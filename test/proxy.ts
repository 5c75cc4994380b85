import { once } from 'node:events'
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { hosts } from '../lib/mongodb/connect.js'
import { url } from './store.js'

/**
 * A TCP proxy before the store, which can be gone (connections are refused) or frozen (they are taken and never
 * answered, as by a process after SIGSTOP).
 */
export class Proxy {
  #sockets = new Set<Socket>()
  #server: Server
  #isFrozen = false
  #port = 0

  constructor () {
    this.#server = createServer((inner) => this.#forward(inner))
  }

  async start (): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.#port = typeof address === 'object' ? address?.port ?? 0 : 0
  }

  get url (): string {
    return `mongodb://127.0.0.1:${this.#port}/?directConnection=true`
  }

  async stop (): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  freeze (): void {
    this.#isFrozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  thaw (): void {
    this.#isFrozen = false
    for (const socket of this.#sockets) socket.resume()
  }

  /** How many clients are connected. */
  get connections (): number {
    return Array.from(this.#sockets).filter((socket) => socket.localPort === this.#port).length
  }

  /** From now on nothing passes on the connections that there are, and nobody is told; new ones work. */
  swallow (): void {
    for (const socket of this.#sockets) socket.pause()
  }

  #forward (inner: Socket): void {
    const outer = connect(target())
    for (const [from, to] of [[inner, outer], [outer, inner]] as const) {
      this.#sockets.add(from)
      from.on('data', (data) => to.write(data))
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#isFrozen) from.pause()
    }
  }
}

function target (): NetConnectOpts {
  const host = decodeURIComponent(hosts(url))
  const [name = '', port] = host.split(':')
  return host.endsWith('.sock') ? { path: host } : { host: name, port: Number(port) }
}
