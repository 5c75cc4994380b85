import { mkdir, realpath } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { chooseAddress, urlOf, type Address } from './address.js'
import { Gate } from './gate.js'
import { liveUrl, takeLock, type Lock } from './lock.js'
import { listening, supervise } from './supervise.js'

export { backup } from './backup.js'
export { check } from './check.js'

export interface Store {
  /** The connection string for a MongoDB driver. */
  url: string
  /** Resolves with the reason if the store's thread fails; otherwise never. Clients then see network errors, and a new start is needed. */
  failed: Promise<Error>
  /** Finishes what is in work, then closes the store. A second call waits for the first. */
  close (): Promise<void>
}

export interface StoreOptions {
  /** The directory of the store; made when it is missing. */
  path: string
}

/**
 * Starts the store of a directory in a worker thread. One process only may have it: an Error names the one that does.
 * The store alone does not keep the process alive.
 */
export async function start ({ path }: StoreOptions, platform = process.platform): Promise<Store> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const directory = await realpath(path)
  const lock = await takeLock(directory)
  try {
    const address = await chooseAddress(directory, platform)
    lock.announce(address)
    return await startWorker(directory, address, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function startWorker (directory: string, address: Address, lock: Lock): Promise<Store> {
  const gate = new Gate()
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    name: 'embedded store',
    execArgv: [], // what a host preloads is for its own threads, and takes time to start
    workerData: { directory, gate: gate.memory, ...address }
  })
  const port = await listening(worker)
  const { failed, close } = supervise(worker, lock, gate)
  try {
    const url = urlOf(address, port)
    lock.publish(url)
    return { url, failed, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The url of the live store of a directory, or undefined where none lives. */
export async function find (path: string): Promise<string | undefined> {
  return liveUrl(path)
}
