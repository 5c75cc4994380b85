import { mkdir, realpath } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { chooseAddress, urlOf } from './address.js'
import { Gate } from './gate.js'
import { liveUrl, takeLock } from './lock.js'
import { closer, listening } from './supervise.js'

export { backup } from './backup.js'

export interface Store {
  /** The connection string for a MongoDB driver. */
  url: string
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
  const address = await chooseAddress(directory, platform)
  const lock = await takeLock(directory, address, platform)
  try {
    const gate = new Gate()
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      name: 'embedded store',
      execArgv: [], // what a host preloads is for its own threads, and takes time to start
      workerData: { directory, gate: gate.memory, ...address }
    })
    const port = await listening(worker)
    const url = urlOf(address, port)
    await lock.publish(url)
    return { url, close: closer(worker, lock, gate) }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The url of the live store of a directory, or undefined where none lives. */
export async function find (path: string): Promise<string | undefined> {
  return liveUrl(path)
}
