import type { FastifyPluginAsync } from 'fastify'
import type { AuthOptions } from '../access/auth-options.js'
import type { DatabaseOptions } from '../mongodb/database-options.js'
import type { Repository, StudentRepository } from '../resources/repository.js'
import type { CouchbaseOptions } from '../users/couchbase.js'
import type { UserStore } from '../users/user-store.js'
import type { DocsOptions } from './docs-options.js'
import type { Resource } from '../../schemas/resource.js'

/** What the option `extend` gets. */
export interface ExtendOptions {
  repositories: Readonly<Record<string, Repository>>
}

export interface AppOptions extends DatabaseOptions {
  /** A repository of yours in place of MongoDB's. With none of the options for a database, the plugin then uses none. */
  students?: StudentRepository | undefined
  /**
   * Resources of yours beside the students, each with a route of its own; one that is named `student` takes the students' place,
   * as `extendResource(student, …)` makes it.
   */
  resources?: readonly Resource[] | undefined
  /**
   * An asynchronous Fastify plugin of yours, registered among the routes: it has the API's parsers, validator, errors and access control, and gets `repositories`,
   * those of all resources by their plural.
   */
  extend?: FastifyPluginAsync<ExtendOptions> | undefined
  /** A store of yours for user profiles in place of MongoDB's. */
  users?: UserStore | undefined
  /** The Couchbase bucket for user profiles in place of MongoDB; needs the package `couchbase`. */
  couchbase?: CouchbaseOptions | undefined
  /** Access control; without it, whoever reaches the API may do everything that it offers. */
  auth?: AuthOptions | undefined
  /** Whether `/docs` and `/openapi.json` are served, and how; default true. */
  docs?: boolean | DocsOptions | undefined
  /** Put before each operationId; default from the prefix: `/college` gives `college_`. */
  operationIdPrefix?: string | undefined
  /** Whether a change without the header If-Match is refused (428), default false. */
  requireIfMatch?: boolean | undefined
  /** How long a request with an Idempotency-Key is remembered, in seconds, default 86400: a day. */
  idempotencyTtlSeconds?: number | undefined
  /** The most bytes of a request body, default 65536. */
  bodyLimit?: number | undefined
}
