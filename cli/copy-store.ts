import { Presets, SingleBar } from 'cli-progress'
import type { Db } from 'mongodb'
import { databaseOptionsOf } from '../config.js'
import { connect, hosts } from '../lib/mongodb/connect.js'
import mongodb from '../plugins/mongodb.js'
import { student } from '../schemas/student.js'
import { compare, copyCollection, type Comparison, type Group } from './copy.js'
import { ask } from './prompt.js'
import { hasStore } from './store.js'
import { type Surroundings, withApp } from './surroundings.js'
import { UsageError } from './user-commands.js'

/** The people's records. Logins and their counters are not taken along: users log in again. */
const COLLECTIONS = [student.collection, 'users']

export interface CopyOptions {
  /** The URL of the target, or - for one that is asked for. */
  to: string
  /** Whether the target is to have what the source has, and nothing else. */
  replace?: boolean | undefined
}

/** Copies the embedded store into a MongoDB server; answers what to print. Throws as `copyStore` does. */
export async function runCopy ({ to, replace = false }: CopyOptions, surroundings: Surroundings): Promise<string> {
  return withApp(surroundings, async (app, config) => {
    const { MONGODB_URL, MONGODB_DATABASE, DATA_DIR } = config
    if (MONGODB_URL) throw new UsageError('copy is for the embedded store; a MongoDB server has mongodump and mongorestore.')
    const source = await databaseOptionsOf(config)
    // a start would make an empty one, and --replace would then empty the target
    if (source.url === undefined && !await hasStore(DATA_DIR)) throw new Error(`There is no store in ${DATA_DIR}: set DATA_DIR to the folder of the server that is to be copied.`)
    const url = to === '-' ? await ask('URL', surroundings) : to
    const target = await connect(url)
    try {
      await app.register(mongodb, source)
      const copied = await copyStore(app.mongo.client.db(MONGODB_DATABASE), target.db(MONGODB_DATABASE), surroundings.stderr, replace)
      return `${copied}\nSet MONGODB_URL to go on with ${hosts(url)}.`
    } finally {
      await target.close()
    }
  })
}

/**
 * Copies the records of one database into another, with a progress bar on a terminal; answers what to print, a line for each
 * collection. What it is about to replace and to delete, it tells before. Throws an Error that says what differs and how to go
 * on where the two then differ.
 */
export async function copyStore (source: Db, target: Db, output: NodeJS.WritableStream, isReplacing = false): Promise<string> {
  const lines: string[] = []
  const comparisons: Comparison[] = []
  if (isReplacing) await announce(source, target, output)
  for (const name of COLLECTIONS) {
    const from = source.collection(name)
    const bar = new SingleBar({ stream: output, hideCursor: true, format: `${name} {bar} {percentage}%` }, Presets.shades_classic)
    bar.start(await from.estimatedDocumentCount(), 0)
    const { copied, replaced, deleted, ...comparison } = await copyCollection(from, target.collection(name), (count) => bar.increment(count), isReplacing).finally(() => bar.stop())
    const { documents, missing, surplus } = comparison
    lines.push(`${name}: ${documents} here, ${documents - missing.count + surplus.count} there, ${copied} of them copied now${isReplacing ? `, ${replaced} in place of others, ${deleted} deleted there` : ''}.${differences(comparison)}`)
    comparisons.push(comparison)
  }
  const advice = adviceFor(comparisons)
  if (advice !== undefined) throw new Error([...lines, advice].join('\n'))
  return lines.join('\n')
}

/** Tells what --replace takes from the target. Throws an Error where that would be everything, for a store without records: most likely it is the wrong one. */
async function announce (source: Db, target: Db, output: NodeJS.WritableStream): Promise<void> {
  let documents = 0
  let surplusInAll = 0
  const lines: string[] = []
  for (const name of COLLECTIONS) {
    const { differing, surplus, ...found } = await compare(source.collection(name), target.collection(name))
    documents += found.documents
    surplusInAll += surplus.count
    lines.push(`${name}: ${differing.count} there will be replaced, ${surplus.count} there will be deleted.\n`)
  }
  if (documents === 0 && surplusInAll > 0) throw new Error('The store has neither students nor users, and the other database has some: nothing was deleted. Is DATA_DIR right?')
  output.write(lines.join(''))
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
  const removal = ', with --replace, which replaces there what is different and deletes what is only there. Or name an empty database by MONGODB_DATABASE'
  return `The two databases are not the same. Start the server of this store with READ_ONLY=on, so that nothing changes any more. Then run copy again${isStuck ? removal : ''}.`
}
