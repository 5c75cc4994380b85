import { spawnSync } from 'node:child_process'

/**
 * Locks an open file, alone or shared with others, without waiting; false where another open file has the lock. The kernel keeps it until
 * the file is closed, so it ends with the process however that ends, and holds in every container on the machine.
 */
export type TryLock = (descriptor: number, shared: boolean) => boolean

/** Behind the content of the file: on Windows, bytes that are locked can't be read. */
const lockedAt = 1 << 20

/** By the package, or by the command where it has no build for the platform (musl, as on Alpine). */
export async function locking (load = () => import('fs-native-extensions')): Promise<TryLock> {
  try {
    const { default: { tryLock } } = await load()
    return (descriptor, shared) => tryLock(descriptor, lockedAt, 1, { shared })
  } catch {
    return lockByCommand
  }
}

/** flock(1), of util-linux and of busybox, locks the open file that it is given, which is this process's: the lock outlives the command. */
function lockByCommand (descriptor: number, shared: boolean): boolean {
  const { status, stderr, error } = spawnSync('flock', [shared ? '-s' : '-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', descriptor], encoding: 'utf8' })
  if (status === 0) return true
  // Busybox ends with 1 after an error too, but not without a word.
  if (status === 1 && stderr === '') return false
  throw error ?? new Error(stderr.trim())
}
