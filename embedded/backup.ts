import { existsSync } from 'node:fs'
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { openCopy, storePath } from './file.js'

/**
 * Writes the store of a directory, as it is at one moment, into another directory, which is made when it is missing; also while
 * a process has the store. Answers the path of the file. Throws an Error where there is no store, or a file already.
 */
export async function backup (path: string, directory: string): Promise<string> {
  const source = storePath(path)
  const target = storePath(directory)
  if (!existsSync(source)) throw new Error(`There is no store in ${path}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (existsSync(target)) throw new Error(`${target} is there already, and is not written over`)
  const draft = `${target}.${process.pid}.new`
  try {
    await copyFile(source, draft)
    await sync(draft)
    await rename(draft, target)
    await sync(directory)
  } finally {
    await rm(draft, { force: true })
  }
  return target
}

async function copyFile (source: string, draft: string): Promise<void> {
  const root = openCopy(source)
  try {
    // compact: without the pages that are free
    await root.backup(draft, true)
    await chmod(draft, 0o600)
  } finally {
    await root.close()
  }
}

async function sync (path: string): Promise<void> {
  const file = await open(path, 'r')
  await file.sync()
  await file.close()
}
