import type { MongoClient, MongoClientEvents } from 'mongodb'

/**
 * Listens to a client that others may listen to as well; answers what ends that. Node takes more than ten listeners of an event for a
 * leak, so each raises the limit for as long as it is there.
 */
export function listen (client: MongoClient, listeners: Partial<MongoClientEvents>): () => void {
  const entries = Object.entries(listeners) as [keyof MongoClientEvents, MongoClientEvents[keyof MongoClientEvents]][] // as they are declared
  raise(client, 1)
  for (const [event, listener] of entries) client.on(event, listener)
  return () => {
    for (const [event, listener] of entries) client.off(event, listener)
    raise(client, -1)
  }
}

function raise (client: MongoClient, by: number): void {
  const limit = client.getMaxListeners()
  // 0 is no limit
  if (limit > 0) client.setMaxListeners(limit + by)
}
