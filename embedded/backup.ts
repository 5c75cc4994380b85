import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { copyApart } from './copy-apart.js'
import { storePath } from './file.js'
import { inspect } from './inspect.js'
import { holderOf } from './lock.js'

/**
 * Writes the store of a directory, as it is at one moment, into another directory, which is made when it is missing; also while
 * a process has the store. Answers the path of the file, which was read through. Throws an Error where there is no store, a damaged one, or a file already.
 */
export async function backup (path: string, directory: string, platform = process.platform): Promise<string> {
  const source = storePath(path)
  const target = storePath(directory)
  if (!existsSync(source)) throw new Error(`There is no store in ${path}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (existsSync(target)) throw new Error(`${target} is there already, and is not written over`)
  const draft = `${target}.${process.pid}.new`
  try {
    const holder = await holderOf(path)
    // A store in use was looked at when it was started, and changes while one looks.
    if (holder === undefined) refuseDamaged(source)
    await copyApart(source, draft, pid => pid === holder?.pid)
    refuseDamaged(draft, source)
    await sync(draft)
    await rename(draft, target)
    // Windows opens no directories.
    if (platform !== 'win32') await sync(directory, 'r')
  } finally {
    await rm(draft, { force: true })
  }
  return target
}

function refuseDamaged (file: string, source = file): void {
  const { damaged } = inspect(file)
  if (damaged.length > 0) throw new Error(`Nothing was written: ${source} has ${damaged.length} damaged values, first ${damaged[0]}`)
}

/** By a handle that can write: Windows syncs no other. */
async function sync (path: string, flags = 'r+'): Promise<void> {
  const file = await open(path, flags)
  await file.sync()
  await file.close()
}
