import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { freePort } from '../test/free-port.js'
import { isInstalled, run, start, type Running } from './process.js'

/** Connections that each server may open to the database: the default of all the drivers, here as said by the URL. */
const POOL_SIZE = 100

/** Starts SecantusDB's Rust server in a folder. Throws an Error that says how to build it where it is missing. */
export async function startDatabase (program: string, folder: string, options: string[] = []): Promise<Running> {
  if (!await isInstalled(program)) {
    throw new Error(`There is no ${program}. Name a MongoDB server by --url, or build SecantusDB's Rust server:
  cargo +nightly install secantus-mdb --version 0.5.3-beta.196 --ignore-rust-version --root DIR
and name it: SECANTUSD=DIR/bin/secantusd-rs npm run bench`)
  }
  const port = await freePort()
  await mkdir(folder)
  const args = ['--port', String(port), '--storage-path', folder, '--log-level', 'WARNING', ...options]
  return start({ command: program, args }, `mongodb://127.0.0.1:${port}/?directConnection=true`, () => listens(port))
}

/** What the program says of itself. */
export async function versionOf (program: string): Promise<string> {
  const { stdout } = await run(program, ['--version'])
  return `SecantusDB's Rust server, ${stdout.split('\n', 1)[0]}`
}

/** The same pool for each driver that gets this URL, unless it has one already. */
export function withPool (url: string): string {
  if (/[?&]maxPoolSize=/i.test(url)) return url
  const [, base = url, query = ''] = /^([^?]*)\??(.*)$/.exec(url) ?? []
  const path = /^[^/]+:\/\/[^/]+$/.test(base) ? `${base}/` : base
  return `${path}?${query ? `${query}&` : ''}maxPoolSize=${POOL_SIZE}`
}

async function listens (port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false)).once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
