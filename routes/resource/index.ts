import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { RecordNotFoundError } from '../../lib/http/errors.js'
import { FieldConversion } from '../../lib/resources/fields.js'
import type { Repository } from '../../lib/resources/repository.js'
import { linkHeader, pageReferences } from '../../lib/query/link.js'
import type { ListQuery, Page } from '../../lib/query/list-query.js'
import { RawList } from '../../lib/serialization/raw-document.js'
import type { Body, Fields, Resource, UpdateBody } from '../../schemas/resource.js'
import { locationOf, rootPaths, routeOptions } from '../route.js'
import { resourceSchemas } from './schema.js'

export interface ResourceRoutesOptions {
  resource: Resource
  /** Where its records are. */
  repository: Repository
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
}

interface OfOne {
  Params: { id: string }
}

/** The routes of a resource, at the root of their prefix. */
const resourceRoutes: FastifyPluginAsync<ResourceRoutesOptions> = async (app, { resource, repository, operationIdPrefix }) => {
  const { title, plural, pluralTitle } = resource
  const options = routeOptions(operationIdPrefix)
  const schemas = resourceSchemas(resource, repository)
  const conversion = new FieldConversion(resource.fields)

  for (const { prefixTrailingSlash, hide } of rootPaths(app)) {
    app.post<{ Body: Body<Fields> }>('/', { prefixTrailingSlash, ...options(`create${title}`, schemas.create, hide) }, async (request, reply) => {
      const record = await repository.create(conversion.ofBody(request.body))
      reply.code(201).header('location', locationOf(request, record.id))
      return record
    })

    app.get('/', { prefixTrailingSlash, ...options(`list${pluralTitle}`, schemas.list, hide) }, async (request, reply) =>
      toList(await repository.list(request.query as ListQuery), request, reply)) // as plugins/query-strings.ts parsed it
  }

  app.get<OfOne>('/:id', options(`show${title}`, schemas.show), async ({ params: { id } }) => {
    return await repository.find(id) ?? notFound(id)
  })

  app.put<OfOne & { Body: UpdateBody<Fields> }>('/:id', options(`update${title}`, schemas.update), async ({ params: { id }, body }) => {
    return await repository.update(id, conversion.ofUpdate(body)) ?? notFound(id)
  })

  app.delete<OfOne>('/:id', options(`delete${title}`, schemas.delete), async ({ params: { id } }, reply) => {
    if (!await repository.delete(id)) notFound(id)
    reply.code(204)
  })

  /** A page with references to others, or all that a repository without pages has. */
  function toList (listed: Awaited<ReturnType<Repository['list']>>, { url }: FastifyRequest, reply: FastifyReply) {
    if (Array.isArray(listed)) return { [plural]: listed }
    if (!isPage(listed)) return listed
    const { next, prev, last, total } = listed
    const references = pageReferences(url, { ...next !== undefined && { next }, ...prev !== undefined && { prev }, ...last !== undefined && { last } })
    reply.header('link', linkHeader(references))
    const list = RawList.renamed(listed, 'items', plural) ?? { [plural]: listed.items }
    return Object.assign(list, references.next !== undefined && { next: references.next }, total && { total })
  }

  function notFound (id: string): never {
    throw new RecordNotFoundError(title, id)
  }
}

function isPage (listed: object): listed is Page<object> {
  return 'items' in listed
}

export default resourceRoutes
