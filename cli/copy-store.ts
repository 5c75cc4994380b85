import { Presets, SingleBar } from 'cli-progress'
import type { Db } from 'mongodb'
import { student } from '../schemas/student.js'
import { copyCollection, type Comparison, type Group } from './copy.js'

/** The people's records. Logins and their counters are not taken along: users log in again. */
const COLLECTIONS = [student.collection, 'users']

/**
 * Copies the records of one database into another, with a progress bar on a terminal; answers what to print, a line for each
 * collection. Throws an Error that says what differs and how to go on where the two then differ.
 */
export async function copyStore (source: Db, target: Db, output: NodeJS.WritableStream): Promise<string> {
  const lines: string[] = []
  const comparisons: Comparison[] = []
  for (const name of COLLECTIONS) {
    const from = source.collection(name)
    const bar = new SingleBar({ stream: output, hideCursor: true, format: `${name} {bar} {percentage}%` }, Presets.shades_classic)
    bar.start(await from.estimatedDocumentCount(), 0)
    const { copied, ...comparison } = await copyCollection(from, target.collection(name), (count) => bar.increment(count)).finally(() => bar.stop())
    const { documents, missing, surplus } = comparison
    lines.push(`${name}: ${documents} here, ${documents - missing.count + surplus.count} there, ${copied} of them copied now.${differences(comparison)}`)
    comparisons.push(comparison)
  }
  const advice = adviceFor(comparisons)
  if (advice !== undefined) throw new Error([...lines, advice].join('\n'))
  return lines.join('\n')
}

function differences ({ missing, differing, surplus }: Comparison): string {
  return [told('Different', differing), told('Not copied yet', missing), told('Only there', surplus)].join('')
}

function told (what: string, { count, first }: Group): string {
  return count === 0 ? '' : ` ${what}: ${count} (${first.join(', ')}${count > first.length ? ', …' : ''}).`
}

/** How to come to two databases that are the same; undefined where they are. */
function adviceFor (comparisons: Comparison[]): string | undefined {
  if (comparisons.every(({ missing, differing, surplus }) => missing.count + differing.count + surplus.count === 0)) return
  const isStuck = comparisons.some(({ differing, surplus }) => differing.count + surplus.count > 0)
  const removal = ' Remove there what is different or only there, or name an empty database by MONGODB_DATABASE: copy leaves as it is what is there already.'
  return `The two databases are not the same. Stop the server of this store, so that nothing changes any more.${isStuck ? removal : ''} Then run copy again.`
}
