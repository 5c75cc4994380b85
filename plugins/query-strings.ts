import type { FastifyInstance, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import type { Grammar } from '../lib/query/grammar.js'
import { parseNoQuery, parseQuery } from '../lib/query/parse.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the query of this route can say, or false where it takes none. A route without this answers any query. */
    query?: Grammar | false
  }
}

/**
 * Parses the query of each route that says what its query is, from the target as it came: a host's parser of query strings has rules of its own.
 * A parameter that is unknown, malformed or given twice is 422, so that no request does more than its client meant.
 */
async function queryStrings (app: FastifyInstance) {
  app.addHook('onRoute', (route) => {
    const grammar = route.config?.query
    if (grammar === undefined) return
    route.preValidation = [grammar ? withQuery(grammar) : withoutQuery, route.preValidation ?? []].flat()
  })
}

function withQuery (grammar: Grammar) {
  const plain = Object.freeze(parseQuery('', grammar))
  return (request: FastifyRequest, _reply: unknown, done: HookHandlerDoneFunction) => {
    const text = queryOf(request)
    try {
      request.query = text === '' ? plain : parseQuery(text, grammar)
    } catch (error) {
      return done(error as Error) // nothing here throws anything else
    }
    done()
  }
}

function withoutQuery (request: FastifyRequest, _reply: unknown, done: HookHandlerDoneFunction): void {
  const text = queryOf(request)
  try {
    if (text !== '') parseNoQuery(text)
  } catch (error) {
    return done(error as Error) // as above
  }
  done()
}

function queryOf ({ url }: FastifyRequest): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

export default fp(queryStrings, { name: 'student-course-api-query-strings' })
