import type { Static, TSchema } from '@sinclair/typebox'
import { problem, PROBLEM_TYPE } from '../lib/problem.js'
import { ProblemDetails } from './common.js'

const problems = {
  400: 'The body is not JSON.',
  404: 'There is no such record.',
  409: 'A unique index of the collection refuses the record.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'The request is not valid; `errors` lists every fault.',
  500: 'Something went wrong in the server.',
  503: 'The database is out of reach. A write that ends so says whether it may have been applied.',
  507: 'The database has no space left.'
} as const

const retryAfter = { 'Retry-After': { type: 'integer', description: 'Seconds after which a retry is worth it.' } }

/**
 * A JSON answer of a route, for Fastify's `response` and for OpenAPI. The example stands beside the schema,
 * since a schema in OpenAPI 3.0, which a host may use, has no `examples`.
 */
export function answer<T extends TSchema> (description: string, schema: T, example: Static<T>, headers?: Record<string, unknown>) {
  return { description, content: { 'application/json': { schema, example } }, ...(headers && { headers }) }
}

/** An answer without a body. */
export const noContent = (description: string) => ({ description, type: 'null' })

/** The problem details that a route can answer with, by status. */
export function problemAnswers (...statuses: (keyof typeof problems)[]) {
  return Object.fromEntries(statuses.map((status) => [status, {
    description: problems[status],
    content: { [PROBLEM_TYPE]: { schema: ProblemDetails, example: problem(status, problems[status], '/students/') } },
    ...(status === 503 && { headers: retryAfter })
  }]))
}
