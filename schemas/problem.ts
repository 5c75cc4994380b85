import { STATUS_CODES } from 'node:http'
import type { Static } from '@sinclair/typebox'
import type { ProblemDetails } from './common.js'

export type Problem = Static<typeof ProblemDetails>

/** The media type of problem details, RFC 9457 section 3. */
export const PROBLEM_TYPE = 'application/problem+json'

/**
 * Problem details (RFC 9457) for a status code.
 * @param url the request's target; its query and a fragment are left out, since they may hold what should not be repeated
 */
export function problem (status: number, detail: string, url: string, errors?: Problem['errors']): Problem {
  const query = url.search(/[?#]/)
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    instance: query === -1 ? url : url.slice(0, query),
    ...(errors && { errors })
  }
}
