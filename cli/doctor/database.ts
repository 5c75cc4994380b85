import type { Collection } from 'mongodb'
import { type Config, couchbaseOptionsOf } from '../../config.js'
import { connect, hosts } from '../../lib/mongodb/connect.js'
import { indexText, indexesFor, missingIndexes } from '../../lib/resources/indexes.js'
import type { StoredDocument } from '../../lib/resources/mongo-records.js'
import { connectCouchbase } from '../../lib/users/couchbase.js'
import { student } from '../../schemas/student.js'
import { type Finding, type Means, ok, warning } from './finding.js'

/** The first and the last wire version of each release of MongoDB (its source, `wire_version.h`): the Stable API tells no other one. */
const RELEASES = [['5', 13, 16], ['6', 17, 20], ['7', 21, 24], ['8', 25, 28]] as const

/** Clocks that differ by less disturb nothing. */
const CLOCKS_S = 5

/** A round trip that takes a larger part of the time-out leaves too little for what an operation does. */
const SHARE_OF_TIMEOUT = 1 / 4

export async function ofDatabase (url: string, { MONGODB_DATABASE, MONGODB_TIMEOUT_MS }: Config): Promise<Finding[]> {
  const client = await connect(url, { timeoutMs: MONGODB_TIMEOUT_MS })
  try {
    const database = client.db(MONGODB_DATABASE)
    const started = performance.now()
    const { setName, localTime, maxWireVersion } = await database.command({ hello: 1 })
    const roundTripMs = performance.now() - started
    const answers = `MongoDB${releaseOf(maxWireVersion)} at ${hosts(url)} answers in ${roundTripMs.toFixed(1)} ms`
    return [
      roundTripMs > SHARE_OF_TIMEOUT * MONGODB_TIMEOUT_MS ? warning(`${answers}, which is much of MONGODB_TIMEOUT_MS`) : ok(answers),
      setName === undefined ? warning('the database is no replica set: a write that it acknowledged can be lost with its disk') : ok(`it is the replica set ${setName}`),
      ...ofClock(localTime),
      ...await ofIndexes(database.collection<StoredDocument>(student.collection))
    ]
  } finally {
    await client.close()
  }
}

/** Empty for a server that is newer than this list. */
function releaseOf (wireVersion: number): string {
  const release = RELEASES.find(([, first, last]) => wireVersion >= first && wireVersion <= last)
  return release === undefined ? '' : ` ${release[0]}`
}

/** Tokens and keys of requests end by the clock of a server, and documents that expire by that of the database. */
function ofClock (time: unknown): Finding[] {
  if (!(time instanceof Date)) return []
  const seconds = Math.abs(Date.now() - time.getTime()) / 1_000
  return seconds < CLOCKS_S ? [] : [warning(`its clock and that of this machine differ by ${Math.round(seconds)} s: keep both by NTP`)]
}

async function ofIndexes (collection: Collection<StoredDocument>): Promise<Finding[]> {
  const missing = await missingIndexes(collection, indexesFor(student))
  const { collectionName } = collection
  return [missing.length === 0 ? ok(`${collectionName} has the indexes of its lists`) : warning(`${collectionName} lacks ${missing.map(indexText).join(', ')}: create them with student-course-api indexes --create`)]
}

/** Where users are elsewhere. */
export async function ofCouchbase (config: Config, { sdk }: Means): Promise<Finding[]> {
  const options = couchbaseOptionsOf(config)
  if (!options) return []
  const { close } = await connectCouchbase({ ...options, sdk })
  await close()
  return [ok(`Couchbase at ${hosts(options.url)} answers, and has the bucket ${options.bucket}`)]
}
