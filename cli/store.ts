import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { configOf, type Surroundings } from './surroundings.js'
import { UsageError } from './user-commands.js'

/** Copies the embedded store into a folder, also while a server has it open; answers what to print. */
export async function runBackup (folder: string, { env }: Surroundings): Promise<string> {
  const { MONGODB_URL, DATA_DIR } = configOf(env)
  if (MONGODB_URL) throw new UsageError('backup is for the embedded store; a MongoDB server has mongodump.')
  const { backup } = await import('../embedded/index.js')
  const file = await backup(DATA_DIR, folder)
  return `The store in ${DATA_DIR} is in ${file}. To restore it, stop the server and put that file in place of the one in ${DATA_DIR}.`
}

/** Looks for damage in the embedded store, or in a backup; answers what to print. */
export async function runCheck (path: string | undefined, { env }: Surroundings): Promise<string> {
  const { check } = await import('../embedded/index.js')
  const { path: file, documents, hasChecksums } = await check(path ?? configOf(env).DATA_DIR)
  return `${file} is sound: ${documents} documents.${hasChecksums ? '' : ' It is of an older format, whose values have no checksums yet: only its structure was checked.'}`
}

/** Whether a folder has an embedded store, in use or not. */
export async function hasStore (folder: string): Promise<boolean> {
  return stat(join(folder, 'store.mdb')).then(() => true, () => false)
}
