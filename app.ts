import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Collection } from 'mongodb'
import type { AuthOptions } from './lib/access/auth-options.js'
import { callerOf, type Caller } from './lib/access/caller.js'
import type { CouchbaseOptions } from './lib/users/couchbase.js'
import { DEFAULTS, type DatabaseOptions, type ResolvedDatabase } from './lib/mongodb/database-options.js'
import { BSON_OPTIONS } from './lib/mongodb/driver-options.js'
import { indexText, prepareIndexes } from './lib/resources/indexes.js'
import type { StoredDocument } from './lib/resources/mongo-records.js'
import { MongoRepository } from './lib/resources/mongo-repository.js'
import type { Repository, StudentRepository } from './lib/resources/repository.js'
import type { UserStore } from './lib/users/user-store.js'
import type { AppOptions, ExtendOptions } from './lib/options/app-options.js'
import type { DocsOptions } from './lib/options/docs-options.js'
import { checkOptions } from './lib/options/check-options.js'
import { SetupError } from './lib/http/errors.js'
import { securityScheme } from './lib/access/security-scheme.js'
import { createSerializerCompiler } from './lib/serialization/serializer.js'
import { createValidatorCompiler } from './lib/http/validator.js'
import access from './plugins/access-control.js'
import couchbaseUsers from './plugins/couchbase.js'
import errors from './plugins/errors.js'
import idempotency from './plugins/idempotency.js'
import json from './plugins/json-bodies.js'
import methods from './plugins/allowed-methods.js'
import mongodb from './plugins/mongodb.js'
import openapi from './plugins/openapi.js'
import queryStrings from './plugins/query-strings.js'
import tokens from './plugins/tokens.js'
import mongoUsers from './plugins/users.js'
import resourceRoutes from './routes/resource/index.js'
import tokenRoutes from './routes/token/index.js'
import userRoutes from './routes/users/index.js'
import type { Resource } from './schemas/resource.js'
import { student } from './schemas/student.js'
import { scopesFor } from './schemas/user.js'

const DAY_SECONDS = 86_400

/** How long a start waits for the indexes of a new collection. */
const INDEX_WAIT_MS = 1_000

/**
 * The Student Course API as a Fastify plugin: `app.register(studentCourseApi, { prefix: '/college', url })`.
 * It reads no environment variable, and nothing of it reaches the scope that registers it.
 */
const studentCourseApi: FastifyPluginAsync<AppOptions> = async (app, options) => {
  checkOptions(options)
  const { students, users, couchbase, auth, docs = true, bodyLimit = 65_536, requireIfMatch = false, idempotencyTtlSeconds = DAY_SECONDS, resources: own = [], extend, ...given } = options
  const database = { ...given, database: given.database ?? DEFAULTS.database, timeoutMs: given.timeoutMs ?? DEFAULTS.timeoutMs }
  const { operationIdPrefix = app.prefix.split(/\W+/).filter(Boolean).map((part) => `${part}_`).join('') } = options
  const resources = own.some(({ name }) => name === student.name) ? own : [student, ...own]
  for (const { plural } of resources) refuseTaken(app, `${app.prefix.replace(/\/$/, '')}/${plural}/`)

  // a host may have set compilers for schemas of another kind
  app.setValidatorCompiler(createValidatorCompiler())
  app.setSerializerCompiler(createSerializerCompiler())
  await app.register(methods)
  await app.register(errors)
  await app.register(json, { bodyLimit })
  await app.register(queryStrings)
  if (docs) await app.register(openapi, { resources, ...docs !== true && docs, ...auth && { securityScheme: securityScheme(auth, app.prefix, resources) } })

  const scopes = scopesFor(resources)
  const hasOwnTokens = auth?.keys !== undefined
  const needsMongodb = !students || resources.length > 1 || hasOwnTokens || [database.url, database.client, database.embedded].some((source) => source !== undefined)
  if (needsMongodb) await app.register(mongodb, database)

  if (needsMongodb) {
    await app.register(idempotency, { ...database, ttlMs: idempotencyTtlSeconds * 1_000 })
  }

  const hasUsers = users || couchbase || needsMongodb
  if (users) app.decorate('users', users)
  else if (couchbase) await app.register(couchbaseUsers, couchbase)
  else if (needsMongodb) await app.register(mongoUsers, database)

  if (hasOwnTokens) await app.register(tokens, { ...auth, ...database })
  if (auth) await app.register(access, { auth, resources })

  const repositories: Record<string, Repository> = {}
  for (const resource of resources) {
    const repository = repositories[resource.plural] = resource.name === student.name && students ? students : repositoryOf(app, resource, database)
    await app.register(resourceRoutes, { prefix: `/${resource.plural}`, operationIdPrefix, resource, repository, isPrivate: auth !== undefined, requireIfMatch, bodyLimit, keys: needsMongodb ? app.idempotencyKeys : undefined })
  }
  if (hasUsers) await app.register(userRoutes, { prefix: '/users', operationIdPrefix, isGuarded: auth !== undefined, hasLogins: hasOwnTokens, scopes })
  if (hasOwnTokens) await app.register(tokenRoutes, { operationIdPrefix, scopes })
  if (extend) await app.register(extend, { repositories })
  app.closePaths()
}

function refuseTaken (app: FastifyInstance, url: string): void {
  if (app.hasRoute({ method: 'GET', url })) throw new SetupError(`there is a ${url} already: register with another prefix`)
}

function repositoryOf (app: FastifyInstance, resource: Resource, { database, embedded }: ResolvedDatabase): Repository {
  const collection = app.mongo.client.db(database).collection<StoredDocument>(resource.collection, BSON_OPTIONS)
  prepareAtStart(app, collection, resource, embedded !== undefined)
  return new MongoRepository(collection, app.storeGuard, resource)
}

/** A new collection gets its indexes before the first record; but lists are served without them too, if more slowly, so no start waits for long. */
function prepareAtStart (app: FastifyInstance, collection: Collection<StoredDocument>, resource: Resource, isOurs: boolean): void {
  let isClosing = false
  app.addHook('onClose', async () => { isClosing = true })
  app.addHook('onReady', async () => {
    const prepared = prepareIndexes(collection, resource, isOurs).then((missing) => {
      const indexes = missing.map(indexText).join(', ')
      if (missing.length > 0) app.log.warn(`the collection ${resource.collection} lacks the indexes ${indexes}: create them with student-course-api indexes --create`)
    }, ({ message }) => {
      if (!isClosing) app.log.warn(`the indexes of the collection ${resource.collection} could not be checked: ${message}`)
    })
    await Promise.race([prepared, sleep(INDEX_WAIT_MS, undefined, { ref: false })])
  })
}

export default studentCourseApi
// no type of plugins/ is exported: their decorators would then be declared on every Fastify instance of a host
export type { AppOptions, AuthOptions, Caller, CouchbaseOptions, DatabaseOptions, DocsOptions, ExtendOptions, Repository, StudentRepository, UserStore }
export { callerOf }
export { email, text } from './schemas/common.js'
export { uuids } from './schemas/ids.js'
export type { Ids } from './schemas/ids.js'
export { defineResource, extendResource } from './schemas/resource.js'
export type { Extension, Resource, ResourceDefinition, Shown, Stored } from './schemas/resource.js'
export { student, CreateStudent, Student, StudentCollection, UpdateStudent } from './schemas/student.js'
export type { StudentFields } from './schemas/student.js'
export { StoredUser, User, USERPROFILE_DOC_TYPE } from './schemas/user.js'
export { documentId, getUser } from './lib/users/user-store.js'
export type { UserChanges, UserCondition } from './lib/users/user-store.js'
export { ProblemDetails } from './schemas/common.js'
export { Changed } from './lib/resources/repository.js'
export type { Capability, RecordCondition } from './lib/resources/repository.js'
export type { Condition, ListQuery, Page, SortKey } from './lib/query/list-query.js'
export { SetupError, StoreFullError, StoreUnavailableError } from './lib/http/errors.js'
