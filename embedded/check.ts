import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { storePath } from './file.js'
import { checksumFormat, inspect, type Inspection } from './inspect.js'
import { refuseIfHeld } from './lock.js'
import { Tally } from './tally.js'

/**
 * Looks at every page and every entry of a store's file, or of the store of a directory, and whether entries and documents fit, and changes nothing. Throws an Error that says what is damaged,
 * and one where a process has the store, which changes it.
 */
export async function check (path: string): Promise<Inspection & { path: string, hasChecksums: boolean }> {
  const file = statSync(path).isDirectory() ? storePath(path) : path
  if (basename(file) === basename(storePath(''))) await refuseIfHeld(dirname(file))
  const inspection = inspect(file, new Tally())
  const { damaged, documents, format } = inspection
  if (damaged.length > 0) throw new Error([`${file} has ${damaged.length} damaged values among ${documents} documents; restore it from a backup:`, ...damaged].join('\n'))
  return { ...inspection, path: file, hasChecksums: format >= checksumFormat }
}
