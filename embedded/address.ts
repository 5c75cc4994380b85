import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Node 20 cuts longer socket paths without a word (the limit is sun_path in sys/un.h, less its final zero; 103 on macOS). */
const maxSocketPathBytes = 103

/** Where a store listens. */
export interface Address {
  socketPath?: string
  /** The folder that was made for the socket alone. */
  folder?: string
  /** With a port instead of a socket, the file system keeps nobody out: connections bring this instead. */
  token?: string
}

/** A name of its own for each start: so no start or end ever touches the socket of another. */
export async function chooseAddress (directory: string, platform: NodeJS.Platform, canListen = takesSocket): Promise<Address> {
  if (platform === 'win32') return { token: randomBytes(32).toString('hex') }
  const name = `store-${randomBytes(4).toString('hex')}.sock`
  const socketPath = join(directory, name)
  // the driver decodes a percent sign in a socket's path twice
  const isUsable = Buffer.byteLength(socketPath) <= maxSocketPathBytes && !socketPath.includes('%') && await canListen(socketPath)
  if (isUsable) return { socketPath }
  const folder = await mkdtemp(join(tmpdir(), 'store-'))
  return { socketPath: join(folder, name), folder }
}

/** Whether a socket of this name can be had and kept from others. Many file systems that a container or WSL mounts have none. */
export async function takesSocket (socketPath: string): Promise<boolean> {
  const server = createServer()
  const isTaken = await listenAlone(server, socketPath).then(() => true, () => false)
  server.close()
  return isTaken
}

async function listenAlone (server: Server, socketPath: string): Promise<void> {
  server.listen(socketPath)
  await once(server, 'listening')
  chmodSync(socketPath, 0o600)
}

export function urlOf ({ socketPath, token }: Address, port: number): string {
  const host = socketPath === undefined ? `127.0.0.1:${port}` : encodeURIComponent(socketPath)
  return `mongodb://${host}/?directConnection=true${token === undefined ? '' : `&appName=${token}`}`
}

/** Whether someone listens on a socket. (A port is no proof: it may be anyone's by now.) */
export function answers ({ socketPath }: Address): Promise<boolean> {
  if (socketPath === undefined) return Promise.resolve(false)
  return new Promise(resolve => {
    const socket = connect(socketPath, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
