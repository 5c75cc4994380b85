import type { Static, TSchema } from '@sinclair/typebox'
import { problem, PROBLEM_TYPE, type Problem } from './problem.js'
import { ProblemDetails } from './common.js'
import { OAuthError } from './token.js'

const problems = {
  400: 'The body is not JSON, or the query is not percent-encoded UTF-8.',
  401: 'The access token is missing, invalid or has expired.',
  403: 'The access token lacks a scope.',
  404: 'No such record exists.',
  406: 'The client takes none of the media types that there are.',
  409: 'A unique index of the collection rejects the record.',
  412: 'The condition of the request does not hold.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'The request is invalid; `errors` lists every fault.',
  428: 'The request needs a condition.',
  429: 'Too many failed logins.',
  500: 'Something went wrong in the server.',
  503: 'The database is out of reach. The detail of a write says whether it may have been applied.',
  507: 'The database has no space left.'
} as const

const retryAfter = { 'Retry-After': { type: 'integer', description: 'How many seconds to wait before a retry.' } }
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

type Status = keyof typeof problems

/** What a problem of a route looks like, for its example in the documentation. */
export interface Example {
  detail: string
  errors?: Problem['errors']
}

/** What the answers themselves say, where all routes say the same. */
const examples: Record<Exclude<Status, 404 | 422>, Example> = {
  400: { detail: "Body is not valid JSON but content-type is set to 'application/json'" },
  401: { detail: 'The access token has expired.' },
  403: { detail: 'This requires the scope students:write.' },
  406: { detail: 'The answer can be application/x-ndjson, application/jsonl or text/csv.' },
  409: { detail: 'A record with this email already exists.' },
  412: { detail: 'The record has changed since. Nothing was changed.' },
  413: { detail: 'Request body is too large' },
  415: { detail: 'The body must be application/json in UTF-8, without a content coding.' },
  428: { detail: 'This requires the header If-Match with the ETag of the record that is to be changed.' },
  429: { detail: 'Too many failed logins. Try again later.' },
  500: { detail: 'Something went wrong here (request 7c9e6679-7425-40de-944b-e07fc1f90ae7-42).' },
  503: { detail: 'The database is out of reach. Try again later.' },
  507: { detail: 'The database has no space left. Nothing was changed.' }
}

/** What a route without a body says of a query that is not percent-encoded. */
export const MALFORMED_QUERY: Example = { detail: 'The query is not percent-encoded UTF-8.' }

/** What a route says of a parameter that it does not have. */
export const UNKNOWN_PARAMETER: Example = { detail: 'The query is not valid.', errors: [{ parameter: 'page', detail: 'is unknown' }] }

/** As a write says it. */
const nothingChanged: Example = { detail: 'The database is out of reach. Nothing was changed.' }

/**
 * The problem details that a route can answer with, by status, each with a true example: of the path that is asked for, and with what
 * this route says where routes differ.
 */
export function problemAnswers (instance: string, own: Partial<Record<Status, Example>>, ...statuses: Status[]) {
  const known: Partial<Record<Status, Example>> = { ...examples, ...(statuses.includes(507) && { 503: nothingChanged }), ...own }
  return Object.fromEntries(statuses.map((status) => {
    const { detail, errors } = known[status] as Example // those of 404 and 422 are the route's
    return [status, {
      description: problems[status],
      content: { [PROBLEM_TYPE]: { schema: ProblemDetails, example: problem(status, detail, instance, errors) } },
      ...(headers[status] && { headers: headers[status] })
    }]
  }))
}
