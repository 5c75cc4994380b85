import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { readlink, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers, urlOf, type Address } from './address.js'
import { locking, type TryLock } from './locking.js'

/** What the lock file says of the process that has the lock, or had it last. */
interface Holder {
  pid?: number
  /** Where the process id means something: one machine and, on Linux, one process namespace (each container has its own). */
  space?: string
  /** A socket's name where it is in the store's directory: a container may have that under another path. */
  name?: string
  socketPath?: string
  folder?: string
  /** Missing until the store listens. */
  url?: string
}

export interface Lock {
  /** Tells other processes where the store will listen, so that what a crash leaves can be removed. */
  announce (address: Address): void
  /** Tells other processes where the store listens. */
  publish (url: string): void
  release (): Promise<void>
}

/** Someone who only looks holds the lock for a moment, and one that ends gives it back soon. */
const attempts = 10
const pauseMs = 20

/** Written in place and always as long, so that it needs no room on a full disk. */
const contentBytes = 4096

/**
 * Takes the directory for this process, or throws an Error that names the process that has it. The lock is the kernel's, on a file that is never
 * removed: neither process ids nor paths count, which other containers have too.
 */
export async function takeLock (directory: string, tryLock?: TryLock): Promise<Lock> {
  const lock = tryLock ?? await locking()
  const space = await ownSpace()
  const descriptor = openSync(lockPath(directory), constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    await acquire(directory, descriptor, lock, space)
    return new HeldLock(directory, descriptor, space)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** The url of the store that lives in a directory, if one does and can be reached from here. */
export async function liveUrl (directory: string, tryLock?: TryLock): Promise<string | undefined> {
  const { url, holder } = await liveHolder(directory, tryLock)
  if (url === undefined || holder?.socketPath === undefined) return url
  return await answers(holder) ? url : undefined
}

/** What is known of the process that has the directory, if one has. */
export async function holderOf (directory: string): Promise<{ pid?: number } | undefined> {
  return (await liveHolder(directory)).holder
}

/** Throws an Error that names the process that has the directory, if one has. */
export async function refuseIfHeld (directory: string): Promise<void> {
  const { holder } = await liveHolder(directory)
  if (holder !== undefined) throw heldBy(holder, directory, await ownSpace())
}

async function liveHolder (directory: string, tryLock?: TryLock): Promise<{ url?: string, holder?: Holder }> {
  const lock = tryLock ?? await locking()
  const descriptor = openIfThere(lockPath(directory))
  if (descriptor === undefined) return {}
  try {
    if (locked(directory, () => lock(descriptor, true))) return {}
    const holder = placed(readHolder(descriptor), directory)
    return { holder, url: holder.url && holder.name !== undefined ? urlOf(holder, 0) : holder.url }
  } finally {
    closeSync(descriptor)
  }
}

async function acquire (directory: string, descriptor: number, tryLock: TryLock, space: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const isTaken = locked(directory, () => tryLock(descriptor, false))
    const before = placed(readHolder(descriptor), directory)
    // A process that locks in another way, from another image, may hold it all the same.
    if (isTaken && !await answers(before)) return removeAddress(before)
    if (attempt === attempts) throw heldBy(before, directory, space)
    await sleep(pauseMs)
  }
}

class HeldLock implements Lock {
  private readonly directory: string
  private readonly descriptor: number
  private holder: Holder
  private address: Address = {}
  private isOpen = true

  constructor (directory: string, descriptor: number, space: string) {
    this.directory = directory
    this.descriptor = descriptor
    this.holder = { pid: process.pid, space }
    this.write(this.holder)
  }

  announce (address: Address): void {
    this.address = address
    const { socketPath, folder } = address
    const isHere = socketPath !== undefined && dirname(socketPath) === this.directory
    this.holder = { ...this.holder, ...(isHere ? { name: basename(socketPath) } : { socketPath, folder }) }
    this.write(this.holder)
  }

  publish (url: string): void {
    this.holder = { ...this.holder, url }
    this.write(this.holder)
  }

  async release (): Promise<void> {
    if (!this.isOpen) return
    this.isOpen = false
    await removeAddress(this.address)
    closeSync(this.descriptor)
  }

  private write (holder: Holder): void {
    writeSync(this.descriptor, JSON.stringify(holder).padEnd(contentBytes), 0)
  }
}

function lockPath (directory: string): string {
  return join(directory, 'store.lock')
}

function openIfThere (path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return
    throw error
  }
}

/** Says in words what the system says in a code. */
function locked (directory: string, tryLock: () => boolean): boolean {
  try {
    return tryLock()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The embedded store can't lock its folder ${directory}: ${reason}. Choose one on a file system with locks`, { cause })
  }
}

/** Content that is half written or foreign says nothing. */
function readHolder (descriptor: number): Holder {
  const bytes = Buffer.alloc(contentBytes)
  const length = readSync(descriptor, bytes, 0, contentBytes, 0)
  try {
    return JSON.parse(bytes.toString('utf8', 0, length))
  } catch {
    return {}
  }
}

/** A socket in the directory, by the path that the directory has here. */
function placed (holder: Holder, directory: string): Holder {
  return holder.name === undefined ? holder : { ...holder, socketPath: join(directory, holder.name) }
}

function heldBy ({ pid, space }: Holder, directory: string, ownSpace: string): Error {
  const isNear = space === ownSpace
  const who = isNear ? `process ${pid}${pid === process.pid ? ' (this one)' : ''}` : `another process (pid ${pid} in its own container or on its own machine)`
  return new Error(`The store in ${directory} is in use by ${pid === undefined ? 'another process' : who}`)
}

async function ownSpace (): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${hostname()} ${namespace}`
}

async function removeAddress ({ socketPath, folder }: Address): Promise<void> {
  if (socketPath !== undefined) await rm(socketPath, { force: true })
  // Only the empty folder that was made for the socket; someone else may have removed it before.
  if (folder !== undefined) await rmdir(folder).catch(() => {})
}
