import type { Collection } from 'mongodb'
import type { Resource } from '../../schemas/resource.js'
import type { StoredDocument } from './mongo-records.js'

/** The key of an index that serves lists by one field: its filters and its order, forwards and backwards. */
export type ListIndex = Record<string, 1>

/** What MongoDB answers for a collection that does not exist. */
const NAMESPACE_NOT_FOUND = 26

/** The indexes that lists of a resource use. */
export function indexesFor ({ fields }: Resource): ListIndex[] {
  return Object.keys(fields).map((field) => ({ [field]: 1, _id: 1 }))
}

/** As the shell writes it. */
export function indexText (index: ListIndex): string {
  return `{ ${Object.keys(index).map((field) => `${field}: 1`).join(', ')} }`
}

/** Those of the wanted indexes that a collection lacks. */
export async function missingIndexes (collection: Collection<StoredDocument>, wanted: readonly ListIndex[]): Promise<ListIndex[]> {
  const there = await collection.listIndexes().toArray().catch((error) => {
    if (error.code === NAMESPACE_NOT_FOUND) return []
    throw error
  })
  const texts = new Set(there.map(({ key }) => JSON.stringify(key)))
  return wanted.filter((index) => !texts.has(JSON.stringify(index)))
}

/**
 * Creates the indexes that are missing where the collection is new or empty; answers those that it lacks because it is not.
 * @param isOurs whether the database is the embedded store, where they are created on any collection
 */
export async function prepareIndexes (collection: Collection<StoredDocument>, resource: Resource, isOurs: boolean): Promise<ListIndex[]> {
  const missing = await missingIndexes(collection, indexesFor(resource))
  if (missing.length === 0) return []
  if (!isOurs && await collection.findOne({}, { projection: { _id: 1 } })) return missing
  await collection.createIndexes(missing.map((key) => ({ key })))
  return []
}
