import type { FastifyPluginAsync } from 'fastify'
import type { AuthOptions } from './lib/auth-options.js'
import type { Caller } from './lib/caller.js'
import type { CouchbaseOptions } from './lib/couchbase.js'
import type { DatabaseOptions } from './lib/database-options.js'
import type { StudentRepository } from './lib/student-repository.js'
import type { UserStore } from './lib/user-store.js'
import { checkOptions } from './lib/check-options.js'
import { SetupError } from './lib/errors.js'
import { securityScheme } from './lib/security-scheme.js'
import { createSerializerCompiler } from './lib/serializer.js'
import { createValidatorCompiler } from './lib/validator.js'
import access from './plugins/access.js'
import couchbaseUsers from './plugins/couchbase.js'
import errors from './plugins/errors.js'
import json from './plugins/json.js'
import methods from './plugins/methods.js'
import mongodb from './plugins/mongodb.js'
import openapi from './plugins/openapi.js'
import mongoStudents from './plugins/students.js'
import tokens from './plugins/tokens.js'
import mongoUsers from './plugins/users.js'
import studentRoutes from './routes/students/index.js'
import tokenRoutes from './routes/token/index.js'
import userRoutes from './routes/users/index.js'

export interface AppOptions extends DatabaseOptions {
  /** A repository of yours in place of MongoDB's. With none of the options for a database, the plugin then uses none. */
  students?: StudentRepository | undefined
  /** A store of yours for user profiles in place of MongoDB's. */
  users?: UserStore | undefined
  /** The Couchbase bucket for user profiles in place of MongoDB; needs the package `couchbase`. */
  couchbase?: CouchbaseOptions | undefined
  /** Access control; without it, whoever reaches the API may do everything that it offers. */
  auth?: AuthOptions | undefined
  /** Whether `/docs` and `/openapi.json` are served, default true. */
  docs?: boolean | undefined
  /** Put before each operationId; default from the prefix: `/college` gives `college_`. */
  operationIdPrefix?: string | undefined
  /** The most bytes of a request body, default 65536. */
  bodyLimit?: number | undefined
}

/**
 * The Student Course API as a Fastify plugin: `app.register(studentCourseApi, { prefix: '/college', url })`.
 * It reads no environment variable, and nothing of it reaches the scope that registers it.
 */
const studentCourseApi: FastifyPluginAsync<AppOptions> = async (app, options) => {
  checkOptions(options)
  const url = `${app.prefix.replace(/\/$/, '')}/students/`
  if (app.hasRoute({ method: 'GET', url })) throw new SetupError(`there is a ${url} already: register with another prefix`)
  const { students, users, couchbase, auth, docs = true, bodyLimit = 65_536, ...database } = options
  const { operationIdPrefix = app.prefix.split(/\W+/).filter(Boolean).map((part) => `${part}_`).join('') } = options

  // a host may have set compilers for schemas of another kind
  app.setValidatorCompiler(createValidatorCompiler())
  app.setSerializerCompiler(createSerializerCompiler())
  await app.register(methods)
  await app.register(errors)
  await app.register(json, { bodyLimit })
  if (docs) await app.register(openapi, auth ? { securityScheme: securityScheme(auth, app.prefix) } : {})

  const hasOwnTokens = auth?.keys !== undefined
  const needsMongodb = !students || hasOwnTokens || [database.url, database.client, database.embedded].some((source) => source !== undefined)
  if (needsMongodb) await app.register(mongodb, database)

  if (students) app.decorate('students', students)
  else await app.register(mongoStudents, database)

  const hasUsers = users || couchbase || needsMongodb
  if (users) app.decorate('users', users)
  else if (couchbase) await app.register(couchbaseUsers, couchbase)
  else if (needsMongodb) await app.register(mongoUsers, database)

  if (hasOwnTokens) await app.register(tokens, { ...auth, ...database })
  if (auth) await app.register(access, auth)

  await app.register(studentRoutes, { prefix: '/students', operationIdPrefix })
  if (hasUsers) await app.register(userRoutes, { prefix: '/users', operationIdPrefix, isGuarded: auth !== undefined })
  if (hasOwnTokens) await app.register(tokenRoutes, { operationIdPrefix })
  app.closePaths()
}

export default studentCourseApi
// no type of plugins/ is exported: their decorators would then be declared on every Fastify instance of a host
export type { AuthOptions, Caller, CouchbaseOptions, DatabaseOptions, StudentRepository, UserStore }
export type { StudentFields } from './lib/student-fields.js'
export { CreateStudent, Student, StudentCollection, UpdateStudent } from './schemas/student.js'
export { StoredUser, User, USERPROFILE_DOC_TYPE } from './schemas/user.js'
export { documentId, getUser } from './lib/user-store.js'
export type { UserChanges, UserCondition } from './lib/user-store.js'
export { ProblemDetails } from './schemas/common.js'
export { SetupError, StoreFullError, StoreUnavailableError } from './lib/errors.js'
