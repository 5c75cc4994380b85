import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { Gate } from './gate.js'
import type { Lock } from './lock.js'

/** The port that a new worker listens on (0 on a Unix socket). Rejects with the worker's error if it ends before. */
export async function listening (worker: Worker): Promise<number> {
  const [port] = await once(worker, 'message')
  return Number(port)
}

export interface Supervised {
  /** Resolves with the reason when the thread fails; otherwise never. */
  failed: Promise<Error>
  close (): Promise<void>
}

/**
 * A worker that fails takes its sockets with it, so clients see a network error at once; the failure itself is told by `failed`, reported as a
 * warning when it happens, and thrown again by close().
 */
export function supervise (worker: Worker, lock: Lock, gate: Gate): Supervised {
  let failure: Error | undefined
  let closed: Promise<void> | undefined
  process.once('exit', gate.shut)
  // Without a listener, a write beyond a limit on the size of files (ulimit -f) would end the process; with one, it fails. A worker can't listen.
  process.on('SIGXFSZ', leaveToWriter)
  const failed = new Promise<Error>(resolve => {
    worker.once('error', error => fail(`The embedded store failed: ${String(error)}`, error))
    worker.once('exit', code => { if (failure === undefined && closed === undefined) fail(`The embedded store's thread ended with ${code}`) })

    function fail (message: string, cause?: Error): void {
      failure = new Error(message, { cause })
      process.emitWarning(failure)
      resolve(failure)
    }
  })
  const ended = new Promise(resolve => worker.once('exit', resolve)).then(() => {
    process.off('exit', gate.shut)
    process.off('SIGXFSZ', leaveToWriter)
    return lock.release()
  })
  worker.unref()
  return { failed, close: () => (closed ??= close()) }

  async function close (): Promise<void> {
    worker.ref()
    worker.postMessage('close')
    await ended
    if (failure !== undefined) throw failure
  }
}

function leaveToWriter (): void {}
