import { Presets, SingleBar } from 'cli-progress'
import type { Db } from 'mongodb'
import { copyCollection } from './copy.js'

/** The people's records. Logins and their counters are not taken along: users log in again. */
const COLLECTIONS = ['students', 'users']

/**
 * Copies the records of one database into another, with a progress bar on a terminal; answers what to print, a line for each
 * collection. Throws an Error where the two then differ.
 */
export async function copyStore (source: Db, target: Db, output: NodeJS.WritableStream): Promise<string> {
  const lines: string[] = []
  for (const name of COLLECTIONS) {
    const from = source.collection(name)
    const bar = new SingleBar({ stream: output, hideCursor: true, format: `${name} {bar} {percentage}%` }, Presets.shades_classic)
    bar.start(await from.estimatedDocumentCount(), 0)
    const { documents, copied, isSame } =
      await copyCollection(from, target.collection(name), (count) => bar.increment(count)).finally(() => bar.stop())
    lines.push(`${name}: ${documents} documents, ${copied} of them copied, ${documents - copied} there already.`)
    if (!isSame) throw new Error([...lines, `Some ${name} are not as they are here: what the server had already was left as it is.`].join('\n'))
  }
  return lines.join('\n')
}
