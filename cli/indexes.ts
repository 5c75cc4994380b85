import type { Collection, Db } from 'mongodb'
import { databaseOptionsOf } from '../config.js'
import { indexText, indexesFor, missingIndexes } from '../lib/resources/indexes.js'
import type { StoredDocument } from '../lib/resources/mongo-records.js'
import mongodb from '../plugins/mongodb.js'
import type { Resource } from '../schemas/resource.js'
import { student } from '../schemas/student.js'
import { type Surroundings, withApp } from './surroundings.js'

/** Says which indexes the configured database lacks, or creates them; answers what to print. */
export async function runIndexes (isCreating: boolean, surroundings: Surroundings): Promise<string> {
  return withApp(surroundings, async (app, config) => {
    await app.register(mongodb, await databaseOptionsOf(config))
    return indexesOf(app.mongo.client.db(config.MONGODB_DATABASE), [student], { isCreating, output: surroundings.stderr })
  })
}

/**
 * Says which indexes of lists a database lacks, or creates them, one after the other; answers what to print.
 * A server builds an index while the collection is read and written.
 */
export async function indexesOf (database: Db, resources: readonly Resource[], { isCreating, output }: { isCreating: boolean, output: NodeJS.WritableStream }): Promise<string> {
  const lines: string[] = []
  for (const resource of resources) {
    const collection = database.collection<StoredDocument>(resource.collection)
    const wanted = indexesFor(resource)
    const missing = await missingIndexes(collection, wanted)
    const has = `${resource.collection}: ${wanted.length - missing.length} of ${wanted.length} indexes were there`
    if (missing.length === 0) lines.push(`${has}.`)
    else if (isCreating) lines.push(`${has}, ${await create(collection, missing, output)} created.`)
    else lines.push(`${has}. Missing: ${missing.map(indexText).join(', ')}. Create them with: student-course-api indexes --create`)
  }
  return lines.join('\n')
}

async function create (collection: Collection<StoredDocument>, missing: Awaited<ReturnType<typeof missingIndexes>>, output: NodeJS.WritableStream): Promise<number> {
  const documents = await collection.estimatedDocumentCount()
  for (const index of missing) {
    const started = performance.now()
    output.write(`${collection.collectionName}: creating ${indexText(index)} over ${documents} documents … `)
    await collection.createIndex(index)
    output.write(`${Math.round(performance.now() - started)} ms\n`)
  }
  return missing.length
}
