import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'

export const secantusd = new Option('--secantusd <path>', "SecantusDB's Rust server").env('SECANTUSD').default('secantusd-rs')

export const countFrom = (least: number) => (text: string): number => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < least) throw new InvalidArgumentError(`It takes a whole number from ${least}.`)
  return count
}

export const toCount = countFrom(1)

/** Reads a list of names. */
export const namesOf = (all: readonly string[]) => (list: string) => list.split(',').map((name) => {
  if (!all.includes(name)) throw new InvalidArgumentError(`There is no ${name}: choose from ${all.join(', ')}`)
  return name
})

/** Has something undone at the end. */
export type AtEnd = (cleanup: () => unknown) => void

/** Gives work a folder of its own, and undoes what it started, last things first. */
export async function inFolder (work: (folder: string, atEnd: AtEnd) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const cleanups: (() => unknown)[] = []
  try {
    await work(folder, (cleanup) => cleanups.unshift(cleanup))
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}
