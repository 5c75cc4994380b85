import fastJsonStringify, { type AnySchema as Schema } from 'fast-json-stringify'
import type { FastifyPluginAsync } from 'fastify'
import type { DatabaseOptions } from './lib/database-options.js'
import type { StudentRepository } from './lib/student-repository.js'
import type { UserStore } from './lib/user-store.js'
import { createValidatorCompiler } from './lib/validator.js'
import errors from './plugins/errors.js'
import json from './plugins/json.js'
import methods from './plugins/methods.js'
import mongodb from './plugins/mongodb.js'
import openapi from './plugins/openapi.js'
import mongoStudents from './plugins/students.js'
import mongoUsers from './plugins/users.js'
import studentRoutes from './routes/students/index.js'
import userRoutes from './routes/users/index.js'

export interface AppOptions extends DatabaseOptions {
  /** A repository of yours in place of MongoDB's. With none of the options for a database, the plugin then uses none. */
  students?: StudentRepository | undefined
  /** A store of yours for user profiles in place of MongoDB's. */
  users?: UserStore | undefined
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
  const { students, users, docs = true, bodyLimit = 65_536, ...database } = options
  const { operationIdPrefix = app.prefix.split('/').filter(Boolean).map((part) => `${part}_`).join('') } = options

  // a host may have set compilers for schemas of another kind
  app.setValidatorCompiler(createValidatorCompiler())
  app.setSerializerCompiler(({ schema }) => fastJsonStringify(schema as Schema)) // Fastify types a route's schema as unknown
  await app.register(methods)
  await app.register(errors)
  await app.register(json, { bodyLimit })
  if (docs) await app.register(openapi)

  const needsMongodb = !students || [database.url, database.client, database.embedded].some((source) => source !== undefined)
  if (needsMongodb) await app.register(mongodb, database)

  if (students) app.decorate('students', students)
  else await app.register(mongoStudents, database)
  await app.register(studentRoutes, { prefix: '/students', operationIdPrefix })

  if (users) app.decorate('users', users)
  else if (needsMongodb) await app.register(mongoUsers, database)
  if (users || needsMongodb) await app.register(userRoutes, { prefix: '/users', operationIdPrefix })
  app.closePaths()
}

export default studentCourseApi
// no type of plugins/ is exported: their decorators would then be declared on every Fastify instance of a host
export type { DatabaseOptions, StudentRepository }
export type { StudentFields } from './lib/student-fields.js'
export { CreateStudent, Student, StudentCollection, UpdateStudent } from './schemas/student.js'
export { ProblemDetails } from './schemas/common.js'
export { SetupError, StoreFullError, StoreUnavailableError } from './lib/errors.js'
