import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { RecordNotFoundError, SetupError } from '../../lib/http/errors.js'
import { ACCEPT_QUERY, knowsQuery } from '../../lib/http/query-method.js'
import type { ListQuery } from '../../lib/query/list-query.js'
import { FieldConversion } from '../../lib/resources/fields.js'
import type { IdRun } from '../../lib/idempotency/id-run.js'
import type { Answer, IdempotencyKeys } from '../../lib/idempotency/keys.js'
import { Changed, isBulk, type Repository } from '../../lib/resources/repository.js'
import { bodyDigest } from '../../plugins/json-bodies.js'
import type { Body, Fields, Resource, Shown, Stored, UpdateBody } from '../../schemas/resource.js'
import { finishing, hasKey, replay, reserve, unlessThere } from '../once.js'
import { locationOf, rootPaths, routeOptions } from '../route.js'
import { addBatch } from './batch.js'
import { Conditions } from './conditions.js'
import { addExport } from './export.js'
import { addImport } from './import.js'
import { isMinimal } from './prefer.js'
import { addQuery } from './query.js'
import { resourceSchemas } from './schema.js'
import { pick, toList, withTags } from './shown.js'

export interface ResourceRoutesOptions {
  resource: Resource
  /** Where its records are. */
  repository: Repository
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
  /** Whether there is access control: then no shared cache may keep an answer. */
  isPrivate: boolean
  /** Whether a change without If-Match is refused. */
  requireIfMatch: boolean
  /** The most bytes of the body of one record. */
  bodyLimit: number
  /** What keeps the keys of requests that are sent again; undefined without a database of ours. */
  keys: IdempotencyKeys | undefined
}

interface OfOne {
  Params: { id: string }
}

type Changes = Partial<Stored<Fields>>

/** The routes of a resource, at the root of their prefix. */
const resourceRoutes: FastifyPluginAsync<ResourceRoutesOptions> = async (app, { resource, repository, operationIdPrefix, keys: known, ...rules }) => {
  const { title, plural, pluralTitle, ids } = resource
  const options = routeOptions(operationIdPrefix)
  const schemas = resourceSchemas(resource, repository, { requireIfMatch: rules.requireIfMatch, hasQuery: knowsQuery(app) })
  const conversion = new FieldConversion(resource.fields)
  const isServed = repository.capabilities?.includes('conditions') === true
  if (rules.requireIfMatch && !isServed) throw new SetupError(`requireIfMatch needs a repository of ${plural} with the capability conditions`)
  const conditions = new Conditions(resource, { ...rules, isServed })
  const keys = isBulk(repository) ? known : undefined

  // the bytes of a list are what its tag is made of
  const onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown) =>
    reply.statusCode === 200 && (typeof payload === 'string' || Buffer.isBuffer(payload)) ? conditions.tagList(payload, request, reply) : payload

  for (const { prefixTrailingSlash, hide } of rootPaths(app)) {
    app.post<{ Body: Body<Fields> }>('/', { prefixTrailingSlash, ...options(`create${title}`, schemas.create, hide) }, async (request, reply) => {
      const fields = conversion.ofBody(request.body)
      const record = hasKey(request) ? await createOnce(fields, request, reply) : await repository.create(fields)
      reply.code(201).header('location', locationOf(request, record.id))
      return written(record, request, reply)
    })

    app.get('/', { prefixTrailingSlash, ...options(`list${pluralTitle}`, schemas.list, hide), onSend }, async (request, reply) => {
      const query = request.query as ListQuery // as plugins/query-strings.ts parsed it
      if (schemas.query) reply.header('accept-query', ACCEPT_QUERY)
      return toList(withTags(await repository.list(query), query, conditions), plural, request.url, reply)
    })

    if (!schemas.query) continue
    const { grammar, ...operation } = schemas.query
    addQuery(app, { repository, conditions, grammar, plural, route: { prefixTrailingSlash, ...options(`query${pluralTitle}`, operation, true), onSend } })
  }

  if (schemas.batch && isBulk(repository)) {
    addBatch(app, { resource, repository, conditions, keys, route: options(`batch${pluralTitle}`, schemas.batch), bodyLimit: rules.bodyLimit })
  }

  if (schemas.import && isBulk(repository)) {
    addImport(app, { resource, repository, keys, route: options(`import${pluralTitle}`, schemas.import), bodyLimit: rules.bodyLimit })
  }

  if (schemas.export && repository.stream) {
    addExport(app, resource, repository.stream.bind(repository), options(`export${pluralTitle}`, schemas.export))
  }

  app.get<OfOne>('/:id', options(`show${title}`, schemas.show), async (request, reply) => {
    const record = await repository.find(request.params.id) ?? notFound(request.params.id)
    const { fields } = request.query as ListQuery // as above
    if (conditions.tag(record, request, reply, fields)) return reply.code(304).send()
    return fields ? pick(record, fields) : record
  })

  app.put<OfOne & { Body: UpdateBody<Fields> }>('/:id', options(`update${title}`, schemas.update), async (request, reply) =>
    change(request, reply, conversion.ofUpdate(request.body)))

  // a host's repository may not know how to remove a field
  if (schemas.patch) {
    app.patch<OfOne & { Body: UpdateBody<Fields> }>('/:id', options(`patch${title}`, schemas.patch), async (request, reply) =>
      change(request, reply, conversion.ofPatch(request.body)))
  }

  app.delete<OfOne>('/:id', options(`delete${title}`, schemas.delete), async (request, reply) => {
    const { id } = request.params
    const outcome = await repository.delete(id, conditions.ifMatch(request.headers['if-match']))
    if (outcome instanceof Changed) throw changed(outcome, request, reply)
    if (!outcome) notFound(id)
    reply.code(204)
  })

  async function createOnce (fields: Stored<Fields>, request: FastifyRequest, reply: FastifyReply): Promise<Shown<Fields>> {
    const prepare = (run: IdRun): Answer => ({ status: 201, body: { id: ids.of(run.at(0)), ...fields } })
    const reservation = await reserve(keys, request, reply, { fingerprint: bodyDigest(request), prepare })
    if ('answer' in reservation) return replay(reservation.answer, reply) as Shown<Fields> // as prepared
    const { held } = reservation
    const { body } = await finishing(held, request.log, async () => ({ status: 201, body: await createAs(ids.of(held.run.at(0)), fields, held.isTakenOver) }))
    return body as Shown<Fields> // as created
  }

  async function createAs (id: string, fields: Stored<Fields>, isTakenOver: boolean): Promise<Shown<Fields>> {
    try {
      return await repository.create(fields, id)
    } catch (error) {
      const [conflict] = isTakenOver ? await unlessThere([error as Error], [id], repository) : [error]
      if (conflict) throw conflict
      return { id, ...fields }
    }
  }

  async function change (request: FastifyRequest<OfOne>, reply: FastifyReply, changes: Changes) {
    const { id } = request.params
    const outcome = await repository.update(id, changes, conditions.ifMatch(request.headers['if-match'])) ?? notFound(id)
    if (outcome instanceof Changed) throw changed(outcome, request, reply)
    return written(outcome, request, reply)
  }

  /** The answer tells the tag of the record as it is now. */
  function changed ({ current }: Changed<Shown<Fields>>, { headers }: FastifyRequest, reply: FastifyReply): Error {
    reply.header('etag', conditions.tagOf(current))
    return conditions.changed(headers['if-match'])
  }

  /** The record that a write made, or no body where the client prefers none (RFC 7240 section 4.2). */
  function written (record: Shown<Fields>, request: FastifyRequest, reply: FastifyReply) {
    conditions.tag(record, request, reply)
    if (!isMinimal(request)) return record
    reply.header('preference-applied', 'return=minimal')
    if (reply.statusCode === 200) reply.code(204)
    return reply.send()
  }

  function notFound (id: string): never {
    throw new RecordNotFoundError(title, id)
  }
}

export default resourceRoutes
