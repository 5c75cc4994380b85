import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** A process, told from a later one that got the same number. */
export interface ProcessId {
  pid: number
  started: string
}

/** What this process can tell of itself and of others. */
export interface Processes {
  own: ProcessId
  /** Where process ids mean the same: one boot of one machine and, on Linux, one process namespace (each container has its own). */
  space: string
  isRunning (process: ProcessId): Promise<boolean>
}

export async function processesOf (platform: NodeJS.Platform): Promise<Processes> {
  return platform === 'linux' ? linuxProcesses() : otherProcesses()
}

async function linuxProcesses (): Promise<Processes> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  return {
    own: { pid: process.pid, started: `${boot.slice(0, 8)}-${await startTicks(process.pid)}` },
    space: `${boot} ${await readlink('/proc/self/ns/pid')}`,
    isRunning: async ({ pid, started }) => started === `${boot.slice(0, 8)}-${await startTicks(pid)}`
  }
}

/** When a process started, in clock ticks since the boot (proc(5): field 22 of stat), or undefined when it does not run. */
async function startTicks (pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field, the program's name, stands in parentheses and may hold anything.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? undefined : fields[18]
}

/** Elsewhere the start of another process is not to be had: one that has the number counts as the one that had it. */
function otherProcesses (): Processes {
  const own = { pid: process.pid, started: String(Math.trunc(performance.timeOrigin)) }
  return {
    own,
    space: hostname(),
    isRunning: async ({ pid, started }) => pid === own.pid ? started === own.started : exists(pid)
  }
}

function exists (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there and belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
