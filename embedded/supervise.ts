import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { Gate } from './gate.js'
import type { Lock } from './lock.js'

/** The port that a new worker listens on (0 on a Unix socket). Rejects with the worker's error if it ends before. */
export async function listening (worker: Worker): Promise<number> {
  const [port] = await once(worker, 'message')
  return Number(port)
}

/**
 * A worker that fails takes its sockets with it, so clients see a network error at once; the failure itself is reported as a warning
 * when it happens and thrown again by close().
 */
export function closer (worker: Worker, lock: Lock, gate: Gate): () => Promise<void> {
  let failure: Error | undefined
  worker.once('error', error => {
    failure = new Error(`The embedded store failed: ${String(error)}`, { cause: error })
    process.emitWarning(failure)
  })
  process.once('exit', gate.shut)
  const ended = new Promise(resolve => worker.once('exit', resolve)).then(() => {
    process.off('exit', gate.shut)
    return lock.release()
  })
  worker.unref()
  let closed: Promise<void> | undefined
  return () => (closed ??= close())

  async function close (): Promise<void> {
    worker.ref()
    worker.postMessage('close')
    await ended
    if (failure !== undefined) throw failure
  }
}
