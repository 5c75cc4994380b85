import type { FastifyInstance } from 'fastify'
import { deserialize } from 'bson'
import fp from 'fastify-plugin'
import type { Collection } from 'mongodb'
import { abortable, OF_PRIMARY } from '../lib/mongodb/driver-options.js'
import { DuplicateKeyError } from '../lib/http/errors.js'
import type { StoreGuard } from '../lib/mongodb/store-guard.js'
import type { Operator } from '../lib/query/grammar.js'
import type { Condition, ListQuery, Page } from '../lib/query/list-query.js'
import { MongoLists } from '../lib/resources/mongo-lists.js'
import type { StoredDocument } from '../lib/resources/mongo-records.js'
import { documentId, type UserChanges, type UserCondition, type UserStore } from '../lib/users/user-store.js'
import { USER_FIELDS, type StoredUser } from '../schemas/user.js'

declare module 'fastify' {
  interface FastifyInstance {
    users: UserStore
  }
}

interface UserDocument extends StoredUser {
  _id: string
}

/** Everything else in the collection is no profile. */
const PROFILES: Condition = { field: '_id', kind: 'text', operator: 'prefix', value: documentId('') }

/** What compares the whole name, as the id does too. */
const WHOLE = new Set<Operator>(['eq', 'ne', 'in', 'gt', 'gte', 'lt', 'lte', 'prefix'])

class MongoUsers implements UserStore {
  #collection: Collection<UserDocument>
  #guard: StoreGuard
  #lists: MongoLists

  constructor (collection: Collection<UserDocument>, guard: StoreGuard) {
    this.#collection = collection
    this.#guard = guard
    this.#lists = new MongoLists(collection as unknown as Collection<StoredDocument>, guard, USER_FIELDS) // both have ids of text
  }

  async get (username: string): Promise<StoredUser | undefined> {
    const document = await this.#guard.read((signal) => this.#collection.findOne(byName(username), { signal }))
    return document ?? undefined
  }

  async list (): Promise<StoredUser[]> {
    return this.#guard.read((signal) => this.#collection.find({}, { signal }).toArray())
  }

  async page (query: ListQuery): Promise<Page<StoredUser>> {
    const asked = {
      ...query,
      conditions: [PROFILES, ...query.conditions.map(byId)],
      sort: query.sort.map(({ field, isDescending }) => ({ field: field === 'username' ? '_id' : field, isDescending }))
    }
    const [{ items, ...beside }, total] = await Promise.all([this.#lists.page(asked), query.count && this.#lists.total(asked)])
    return { items: items.map(toUser), ...beside, ...total && { total } }
  }

  async create (user: StoredUser): Promise<boolean> {
    const document = { ...byName(user.username), ...user }
    try {
      await this.#guard.write((signal) => this.#collection.insertOne(document, abortable(signal)))
      return true
    } catch (error) {
      // another index than that of the name may have refused it
      const stored = error instanceof DuplicateKeyError && await this.get(user.username)
      if (!stored) throw error
      // no two hashes have one salt: with this one it is the driver's second try, which met the first
      return user.hashed_password !== undefined && stored.hashed_password === user.hashed_password
    }
  }

  async update (username: string, changes: UserChanges, condition?: UserCondition): Promise<boolean> {
    const found = await this.#guard.write((signal) =>
      this.#collection.findOneAndUpdate(meeting(username, condition), { $set: changes }, abortable(signal)))
    return found !== null
  }

  async delete (username: string, condition?: UserCondition): Promise<boolean> {
    const { deletedCount } = await this.#guard.write((signal) => this.#collection.deleteOne(meeting(username, condition), abortable(signal)))
    return deletedCount > 0
  }
}

function meeting (username: string, { lacks = [], ...hash }: UserCondition = {}) {
  return { ...byName(username), ...hash, ...(lacks.length > 0 && { scopes: { $nin: [...lacks] } }) }
}

/** A condition on the name as one on the id, which has an index. */
function byId (condition: Condition): Condition {
  if (condition.field !== 'username' || !WHOLE.has(condition.operator)) return condition
  const { value } = condition
  return { ...condition, field: '_id', value: Array.isArray(value) ? value.map(documentId) : documentId(String(value)) }
}

/** The name is that of the id: the field may be missing. */
function toUser (bson: Buffer): StoredUser {
  const { _id: id, ...user } = deserialize(bson) as UserDocument // as the filter has it
  return { ...user, username: id.slice(documentId('').length) }
}

function byName (username: string) {
  return { _id: documentId(username) }
}

/** User profiles in the collection `users`. */
async function users (app: FastifyInstance, { database }: { database: string }) {
  const collection = app.mongo.client.db(database).collection<UserDocument>('users', OF_PRIMARY)
  app.decorate('users', new MongoUsers(collection, app.storeGuard))
}

export default fp(users, { name: 'student-course-api-users', dependencies: ['student-course-api-mongodb'] })
