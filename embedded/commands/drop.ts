import { Collection, namespaces } from '../collection.js'
import { everything } from '../filter.js'
import { Scan } from '../scan.js'
import { ok, type Run } from './command.js'

export const drop: Run = async (request, { storage }) => {
  const collection = new Collection(storage, request.namespace())
  const nIndexesWas = await dropAll(collection)
  return nIndexesWas === 0 ? ok() : ok({ nIndexesWas, ns: collection.namespace })
}

export const dropDatabase: Run = async (request, { storage }) => {
  const dropped = namespaces(storage, `${request.database}.`)
  for (const namespace of dropped) await dropAll(new Collection(storage, namespace))
  return dropped.length === 0 ? ok() : ok({ dropped: request.database })
}

/** Returns how many indexes there were, that on `_id` included; 0 where there was no collection. */
async function dropAll (collection: Collection): Promise<number> {
  let indexes = 0
  for (let done = false; !done;) {
    done = await collection.write(() => {
      if (!collection.exists) return true
      indexes = 1 + collection.indexes.length
      // from the front each time: what others insert meanwhile goes too
      const scan = new Scan(collection, everything)
      for (const { key } of scan.slice()) collection.remove(key)
      if (scan.done) collection.forget()
      return scan.done
    })
  }
  return indexes
}
