import { mkdtemp, readdir, rmdir, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../../config.js'
import { hasStore } from '../store.js'
import { error, type Finding, type Means, ok, warning } from './finding.js'

const GIBIBYTE = 1024 ** 3

/** The folder of the embedded store. */
export async function ofFolder ({ DATA_DIR }: Config, { leastFreeBytes }: Means): Promise<Finding[]> {
  const folder = await nearestFolder(DATA_DIR)
  // by doing it: a disk that is mounted to be read lets root believe otherwise
  const isWritable = await mkdtemp(join(folder, '.doctor-')).then(rmdir).then(() => true, () => false)
  if (!isWritable) return [error(`the folder ${folder}, for the embedded store, cannot be written by this user`)]
  const { bavail, bsize } = await statfs(folder)
  const free = `${(bavail * bsize / GIBIBYTE).toFixed(1)} GiB`
  return [
    bavail * bsize < leastFreeBytes ? warning(`${folder} has ${free} free: a full disk ends all writes`) : ok(`${folder} can be written, ${free} are free`),
    ...await ofContents(DATA_DIR)
  ]
}

/** The folder, or the one in which a start would make it. */
async function nearestFolder (path: string): Promise<string> {
  const isThere = await stat(path).then((found) => found.isDirectory(), () => false)
  const parent = dirname(resolve(path))
  return isThere || parent === path ? path : nearestFolder(parent)
}

async function ofContents (folder: string): Promise<Finding[]> {
  if (!await hasStore(folder)) return [ok('there is no store yet: the first start makes one')]
  return [...await ofOwner(folder), await ofDamage(folder)]
}

/** A command of root beside a server of another user leaves files that this one cannot open. */
async function ofOwner (folder: string): Promise<Finding[]> {
  const user = process.getuid?.()
  const names = (await readdir(folder)).filter((name) => name.startsWith('store.'))
  const owners = await Promise.all(names.map(async (name) => ({ name, uid: (await stat(join(folder, name))).uid })))
  return owners.filter(({ uid }) => user !== undefined && uid !== user)
    .map(({ name, uid }) => warning(`${join(folder, name)} belongs to the user ${uid}, and this is the user ${user}: run the server and its commands as one user`))
}

async function ofDamage (folder: string): Promise<Finding> {
  const { check, find } = await import('../../embedded/index.js')
  if (await find(folder) !== undefined) return ok('a server has the store open: to look for damage, check a backup of it')
  const { documents } = await check(folder)
  return ok(`the store is sound: ${documents} documents`)
}
