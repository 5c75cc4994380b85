import type { Static, TSchema } from '@sinclair/typebox'
import { problem, PROBLEM_TYPE } from '../lib/problem.js'
import { ProblemDetails } from './common.js'
import { OAuthError } from './token.js'

const problems = {
  400: 'The body is not JSON.',
  401: 'There is no valid access token.',
  403: 'The access token lacks a scope.',
  404: 'There is no such record.',
  409: 'A unique index of the collection refuses the record.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'The request is not valid; `errors` lists every fault.',
  429: 'Too many logins failed.',
  500: 'Something went wrong in the server.',
  503: 'The database is out of reach. A write that ends so says whether it may have been applied.',
  507: 'The database has no space left.'
} as const

const retryAfter = { 'Retry-After': { type: 'integer', description: 'Seconds after which a retry is worth it.' } }
const challenge = { 'WWW-Authenticate': { type: 'string', description: 'What is missing, after RFC 6750 section 3.' } }
const headers: Partial<Record<number, object>> = { 401: challenge, 403: challenge, 429: retryAfter, 503: retryAfter }

/**
 * A JSON answer of a route, for Fastify's `response` and for OpenAPI. The example stands beside the schema,
 * since a schema in OpenAPI 3.0, which a host may use, has no `examples`.
 */
export function answer<T extends TSchema> (description: string, schema: T, example: Static<T>, headers?: Record<string, unknown>) {
  return { description, content: { 'application/json': { schema, example } }, ...(headers && { headers }) }
}

/** An answer without a body. */
export const noContent = (description: string) => ({ description, type: 'null' })

/** An error of the token endpoints. */
export function oauthErrors (description: string, error: OAuthError['error'], errorDescription: string) {
  return answer(description, OAuthError, { error, error_description: errorDescription })
}

/** The problem details that a route can answer with, by status. */
export function problemAnswers (...statuses: (keyof typeof problems)[]) {
  return Object.fromEntries(statuses.map((status) => [status, {
    description: problems[status],
    content: { [PROBLEM_TYPE]: { schema: ProblemDetails, example: problem(status, problems[status], '/students/') } },
    ...(headers[status] && { headers: headers[status] })
  }]))
}
