import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, type Address } from './address.js'
import { processesOf, type ProcessId, type Processes } from './process.js'

/** What a lock file says: by its name which process holds the directory, inside where that one listens. */
interface Claim extends ProcessId, Address {
  path: string
  /** Where the process id means something. Missing while the file is being written. */
  space?: string
  /** Missing until the store listens. */
  url?: string
}

export interface Lock {
  /** Tells other processes where the store listens. */
  publish (url: string): Promise<void>
  release (): Promise<void>
}

const attempts = 20

/**
 * Takes the directory for this process, or throws an Error that names the process that has it.
 *
 * Each process makes a lock file of its own, by a name that is never used again, and holds the directory when it then sees no other live one:
 * of two that start at once, the later sees the earlier. So the file of a dead process can be removed with no chance of hitting a live one's,
 * which a single well-known file does not give.
 */
export async function takeLock (directory: string, address: Address, platform: NodeJS.Platform): Promise<Lock> {
  const processes = await processesOf(platform)
  const { own: { pid, started }, space } = processes
  const claim: Claim = { path: join(directory, `store-${pid}-${started}.lock`), pid, started, space, ...address }
  try {
    await claimAlone(directory, claim, processes)
  } catch (error) {
    await removeAddress(address)
    throw error
  }
  return {
    publish: async url => {
      // Replaced as a whole: a reader sees the old text or the new one.
      await writeFile(`${claim.path}.new`, contentOf({ ...claim, url }), { mode: 0o600 })
      await rename(`${claim.path}.new`, claim.path)
    },
    release: () => discard(claim)
  }
}

/** The url of the store that lives in a directory, if one does. */
export async function liveUrl (directory: string): Promise<string | undefined> {
  const processes = await processesOf(process.platform)
  for (const claim of await readClaims(directory)) if (await isLive(claim, processes)) return claim.url
}

async function claimAlone (directory: string, claim: Claim, processes: Processes): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await create(directory, claim)
    const others = (await readClaims(directory)).filter(({ path }) => path !== claim.path)
    const live = await Promise.all(others.map(other => isLive(other, processes)))
    const rival = others.find((_other, index) => live[index])
    if (rival === undefined) {
      await Promise.all(others.map(discard))
      return
    }
    await rm(claim.path)
    // A rival that is only starting may give way as well: then both try again, at different times.
    if (rival.url !== undefined || attempt === attempts) throw heldBy(rival.pid, directory)
    await new Promise(resolve => setTimeout(resolve, 5 + Math.random() * 50))
  }
}

async function create (directory: string, claim: Claim): Promise<void> {
  try {
    await writeFile(claim.path, contentOf(claim), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw heldBy(claim.pid, directory)
    throw error
  }
}

function heldBy (pid: number, directory: string): Error {
  return new Error(`The store in ${directory} is in use by process ${pid}${pid === process.pid ? ' (this one)' : ''}`)
}

function contentOf ({ space, socketPath, folder, url }: Claim): string {
  return JSON.stringify({ space, socketPath, folder, url })
}

async function readClaims (directory: string): Promise<Claim[]> {
  const names = await readdir(directory).catch(() => [])
  const claims: Claim[] = []
  for (const name of names) {
    const [, pid, started] = /^store-(\d+)-([\w-]+)\.lock$/.exec(name) ?? []
    if (pid === undefined || started === undefined) continue
    const path = join(directory, name)
    claims.push({ ...await readContent(path), path, pid: Number(pid), started })
  }
  return claims
}

/** A file that is gone or half written says no more than its name does. */
async function readContent (path: string): Promise<Partial<Claim>> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return {}
  }
}

/** A process of another container can't be seen, but whether its store answers can. */
async function isLive (claim: Claim, { space, isRunning }: Processes): Promise<boolean> {
  if (claim.space === undefined || claim.space === space) return isRunning(claim)
  return claim.url !== undefined && answers(claim)
}

async function discard (claim: Claim): Promise<void> {
  await removeAddress(claim)
  await rm(claim.path, { force: true })
}

async function removeAddress ({ socketPath, folder }: Address): Promise<void> {
  if (socketPath !== undefined) await rm(socketPath, { force: true })
  // Only the empty folder that was made for the socket; someone else may have removed it before.
  if (folder !== undefined) await rmdir(folder).catch(() => {})
}
