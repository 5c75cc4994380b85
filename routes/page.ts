import type { FastifyReply } from 'fastify'
import { linkHeader, pageReferences } from '../lib/query/link.js'
import type { Page } from '../lib/query/list-query.js'

/** The header of a page, as OpenAPI has it. */
export const link = { Link: { type: 'string', description: 'Pages of the same list (RFC 8288): `first`, `prev`, `next`, `last`, where they exist.' } }

/**
 * What an answer has beside the records of a page; its header Link leads to the other pages.
 * @param url of the GET that answers it; without one there are no references
 */
export function besidesOf ({ next, prev, last, total }: Omit<Page<unknown>, 'items'>, url: string | undefined, reply: FastifyReply): { next?: string, total?: Page<unknown>['total'] } {
  const references = url === undefined ? {} : pageReferences(url, { ...next !== undefined && { next }, ...prev !== undefined && { prev }, ...last !== undefined && { last } })
  if (url !== undefined) reply.header('link', linkHeader(references))
  return { ...references.next !== undefined && { next: references.next }, ...total && { total } }
}
