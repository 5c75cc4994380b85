import type { MongoClient } from 'mongodb'
import type { StoreGuard } from '../lib/mongodb/store-guard.js'

/** The store that the API in this process uses. */
export interface Store {
  client: MongoClient
  guard: StoreGuard
}
