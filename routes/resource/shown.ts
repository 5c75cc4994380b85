import type { ListQuery, Page } from '../../lib/query/list-query.js'
import type { Repository } from '../../lib/resources/repository.js'
import { RawDocument, RawList } from '../../lib/serialization/raw-document.js'
import type { FastifyReply } from 'fastify'
import type { Fields, Shown } from '../../schemas/resource.js'
import { besidesOf } from '../page.js'
import type { Conditions } from './conditions.js'

type Listed = Awaited<ReturnType<Repository['list']>>

/** The record with its id and these fields alone. */
export function pick (record: Shown<Fields>, fields: readonly string[]): Shown<Fields> {
  const picked = { id: record.id, ...Object.fromEntries(Object.entries(record).filter(([name]) => fields.includes(name))) }
  const source = RawDocument.of(record)
  return source ? RawDocument.behind(picked, { ...source, only: new Set(['id', ...fields]) }) : picked
}

/**
 * A list as it is answered: a page with references to others, or all that a repository without pages has.
 * @param plural under which name
 * @param url of the GET that answers it; without one there are no references
 */
export function toList (listed: Listed, plural: string, url: string | undefined, reply: FastifyReply): object {
  if (Array.isArray(listed)) return { [plural]: listed }
  if (!isPage(listed)) return listed
  const list = RawList.renamed(listed, 'items', plural) ?? { [plural]: listed.items }
  return Object.assign(list, besidesOf(listed, url, reply))
}

/** The answer to QUERY: the same, with the cursor of the next page, since a reference cannot hold every query. */
export function toQueried (listed: Listed, plural: string, url: string | undefined, reply: FastifyReply): object {
  if (url !== undefined) reply.header('location', url)
  const next = isPage(listed) ? listed.next : undefined
  return Object.assign(toList(listed, plural, url, reply), next !== undefined && { cursor: next })
}

function isPage (listed: object): listed is Page<Shown<Fields>> {
  return 'items' in listed
}

/** The page of a query that asks for the pseudo field `etag`: each record with its tag, and the fields that were asked for. */
export function withTags (page: Listed, { fields = [] }: ListQuery, conditions: Conditions): Listed {
  if (!fields.includes('etag') || !isPage(page)) return page
  const items = page.items.map((record) => ({ ...pick(record, fields), etag: conditions.tagOf(record) }))
  return { ...page, items }
}
