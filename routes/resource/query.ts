import type { FastifyInstance } from 'fastify'
import { QUERY } from '../../lib/http/query-method.js'
import { equalGet } from '../../lib/query/equal-get.js'
import type { Grammar } from '../../lib/query/grammar.js'
import { parseBody } from '../../lib/query/parse-body.js'
import { InvalidQueryError } from '../../lib/query/query-error.js'
import type { Repository } from '../../lib/resources/repository.js'
import { pathOf } from '../route.js'
import type { Conditions } from './conditions.js'
import { toQueried, withTags } from './shown.js'

interface QueryOptions {
  repository: Repository
  conditions: Conditions
  grammar: Grammar
  plural: string
  /** The options of the route. */
  route: object
}

/** Adds the method QUERY (RFC 10008) to the list: what GET is asked by its parameters comes as a body. */
export function addQuery (app: FastifyInstance, { repository, conditions, grammar, plural, route }: QueryOptions): void {
  app.route({
    method: QUERY,
    url: '/',
    ...route,
    handler: async (request, reply) => {
      const query = parseBody(request.body, grammar)
      const listed = await repository.list(query).catch((error) => { throw error instanceof InvalidQueryError ? error.inBody() : error })
      return toQueried(withTags(listed, query, conditions), plural, equalGet(pathOf(request), query), reply)
    }
  })
}
