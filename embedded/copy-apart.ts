import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What the process is told to do. */
export interface CopyOrder {
  source: string
  draft: string
}

/** What it answers. */
export interface CopyResult {
  /** Missing when all went well. */
  error?: string
}

/** So many numbers in a row are not taken. */
const attempts = 5

/**
 * Copies a store's file in a process of its own. LMDB counts its readers by process id, so two with the same one, in two containers, would end each
 * other's transactions; and a page that it can't read ends that process and not this one.
 */
export async function copyApart (source: string, draft: string, isTaken: (pid: number | undefined) => boolean): Promise<void> {
  const child = forkUntaken(isTaken)
  const exited = once(child, 'exit').then(([code, signal]): CopyResult => {
    return { error: `The store's file ${source} could not be copied: the process that read it ended by ${signal ?? code}. Stop the server and run student-course-api check` }
  })
  const answered = once(child, 'message').then(([result]): CopyResult => result)
  const order: CopyOrder = { source, draft }
  // If it is gone by now, its exit says so.
  child.send(order, () => {})
  const { error } = await Promise.race([answered, exited])
  if (error !== undefined) throw new Error(error)
  await exited
}

function forkUntaken (isTaken: (pid: number | undefined) => boolean): ChildProcess {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const child = fork(new URL('./copy-process.js', import.meta.url), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    if (!isTaken(child.pid)) return child
    child.kill()
  }
  throw new Error('Every process has the id of the one that uses the store: try again')
}
