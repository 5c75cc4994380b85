import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InvalidBodyError } from '../../lib/http/body-error.js'
import { RecordNotFoundError, StoreUnavailableError } from '../../lib/http/errors.js'
import { IdRun } from '../../lib/idempotency/id-run.js'
import type { Answer, IdempotencyKeys } from '../../lib/idempotency/keys.js'
import type { BulkQuery } from '../../lib/query/list-query.js'
import { FieldConversion } from '../../lib/resources/fields.js'
import { Changed, type BulkRepository, type ChangeOutcome } from '../../lib/resources/repository.js'
import { problemOf } from '../../plugins/errors.js'
import { bodyDigest } from '../../plugins/json-bodies.js'
import type { BatchResults, Operation } from '../../schemas/operation.js'
import { keyOf } from '../../schemas/ids.js'
import type { Problem } from '../../schemas/problem.js'
import type { Body, Fields, Resource, UpdateBody } from '../../schemas/resource.js'
import { finishing, hasKey, replay, reserve, unlessThere } from '../once.js'
import type { Conditions } from './conditions.js'
import { checkFaults, toChecks, type Check } from './checks.js'
import { askForBody } from './ask-for-body.js'

export interface BatchOptions {
  resource: Resource
  repository: BulkRepository
  conditions: Conditions
  keys: IdempotencyKeys | undefined
  /** The schema and the configuration of the route. */
  route: object
  /** The most bytes of one record. */
  bodyLimit: number
}

/** How many times as large as the body of one record that of a batch may be. */
const BATCH_SIZE = 16

type Result = BatchResults['results'][number]
type Outcome = ChangeOutcome<Fields>
type BatchRequest = FastifyRequest<{ Body: { operations: Operation[] } }>

/** How the operations of one request are worked on. */
interface Context {
  request: BatchRequest
  ids: IdRun
  /** Whether another one may have worked on them already: then what is not there may have been deleted by it. */
  isTakenOver: boolean
}

/** Adds the route that takes many changes in one request, each of them on its own. */
export function addBatch (app: FastifyInstance, { resource, repository, conditions, keys, route, bodyLimit }: BatchOptions) {
  const { title } = resource
  const conversion = new FieldConversion(resource.fields)
  const checks = toChecks(app, resource)

  app.post<{ Body: { operations: Operation[] } }>('/batch', { ...route, bodyLimit: BATCH_SIZE * bodyLimit, onRequest: askForBody(bodyLimit, BATCH_SIZE * bodyLimit) }, async (request, reply) => {
    refuseTwins(request.body.operations, resource)
    const { dryRun } = request.query as BulkQuery // as plugins/query-strings.ts parsed it
    const isKeyed = hasKey(request)
    if (dryRun === 'true') return reply.code(207).send(answerOf(await Promise.all(request.body.operations.map(async (operation, index) => preview(operation, index, request)))))
    if (isKeyed) return reply.code(207).send(await runOnce(request, reply))
    return reply.code(207).send(await run({ request, ids: IdRun.begin(), isTakenOver: false }))
  })

  async function runOnce (request: BatchRequest, reply: FastifyReply): Promise<unknown> {
    const reservation = await reserve(keys, request, reply, { fingerprint: bodyDigest(request) })
    if ('answer' in reservation) return replay(reservation.answer, reply)
    const { run: ids, isTakenOver } = reservation.held
    const work = async (): Promise<Answer> => ({ status: 207, body: await run({ request, ids, isTakenOver }) })
    return (await finishing(reservation.held, request.log, work, isFinal)).body
  }

  /** Makes the changes: all new records in one command, all others in another one. */
  async function run (context: Context): Promise<BatchResults> {
    const { operations } = context.request.body
    const refused = operations.map((operation, index) => refusalOf(operation, index))
    const open = operations.map((operation, index) => ({ ...operation, index })).filter(({ index }) => !refused[index])
    const [creates, changes] = [open.filter(({ op }) => op === 'create'), open.filter(({ op }) => op !== 'create')]
    const outcomes: Outcome[] = []
    await Promise.all([
      each(creates, outcomes, async () => createAll(creates, context)),
      each(changes, outcomes, async () => repository.changeMany(changes.map(toChange)))
    ])
    refuseIfAway(operations.map((_, index) => outcomes[index]))
    return answerOf(operations.map((operation, index) => {
      const refusal = refused[index]
      return refusal ? failed(refusal, operation, context.request) : resultOf(operation, outcomes[index] as Outcome, context) // there is one where nothing was refused
    }))
  }

  async function createAll (creates: (Operation & { index: number })[], { ids, isTakenOver }: Context): Promise<Outcome[]> {
    const records = creates.map(({ data, index }) => ({ id: resource.ids.of(ids.at(index)), fields: conversion.ofBody(data as Body<Fields>) })) // as it was checked
    const refused = await repository.createMany(records)
    const errors = isTakenOver ? await unlessThere(refused, records.map(({ id }) => id), repository) : refused
    return records.map(({ id, fields }, index) => errors[index] ?? { id, ...fields })
  }

  function toChange ({ op, id, ifMatch, data }: Operation) {
    const condition = conditions.ifMatch(ifMatch)
    return { id: String(id), ...op === 'patch' && { changes: conversion.ofPatch(data as UpdateBody<Fields>) }, ...condition && { condition } } // as it was checked
  }

  /** Why an operation is refused before anything is changed. */
  function refusalOf ({ op, data, ifMatch }: Operation, index: number): Error | undefined {
    if (op !== 'delete') {
      const faults = faultsOf(op === 'create' ? checks.create : checks.patch, data, `/operations/${index}/data`)
      if (faults) return new InvalidBodyError(faults)
    }
    try {
      if (op !== 'create') conditions.ifMatch(ifMatch)
    } catch (error) {
      return error as Error // that there is none
    }
    return undefined
  }

  function resultOf (operation: Operation, outcome: Outcome, { request, isTakenOver }: Context): Result {
    const { op, id, ifMatch } = operation
    if (outcome instanceof Error) return failed(outcome, operation, request)
    if (outcome instanceof Changed) return { ...failed(conditions.changed(ifMatch), operation, request), etag: conditions.tagOf(outcome.current) }
    if (outcome === false && !(op === 'delete' && isTakenOver)) return failed(new RecordNotFoundError(title, String(id)), operation, request)
    if (typeof outcome === 'boolean') return { status: op === 'delete' ? 204 : 200, id: String(id) }
    return { status: op === 'create' ? 201 : 200, id: outcome.id, etag: conditions.tagOf(outcome) }
  }

  /** What would become of an operation. */
  async function preview (operation: Operation, index: number, request: BatchRequest): Promise<Result> {
    const { op, id, ifMatch } = operation
    const refusal = refusalOf(operation, index)
    if (refusal) return failed(refusal, operation, request)
    if (op === 'create') return { status: 201 }
    const record = await repository.find(String(id))
    if (!record) return failed(new RecordNotFoundError(title, String(id)), operation, request)
    const isAsExpected = conditions.ifMatch(ifMatch)?.(record) ?? true
    if (!isAsExpected) return { ...failed(conditions.changed(ifMatch), operation, request), etag: conditions.tagOf(record) }
    return { status: op === 'delete' ? 204 : 200, id: record.id }
  }
}

/** Puts the outcomes of some operations in their places; what fails as a whole fails each. */
async function each (operations: { index: number }[], outcomes: Outcome[], work: () => Promise<Outcome[]>): Promise<void> {
  if (operations.length === 0) return
  const made = await work().catch((error: Error) => operations.map(() => error))
  for (const [place, { index }] of operations.entries()) outcomes[index] = made[place] as Outcome // there is one for each
}

/** Where nothing could be done, the answer is that of any other request. */
function refuseIfAway (outcomes: (Outcome | undefined)[]): void {
  const [first] = outcomes
  if (outcomes.every((outcome) => outcome instanceof StoreUnavailableError)) throw first
}

/** What failed here may be tried again. */
function isFinal (body: unknown): boolean {
  return (body as BatchResults).results.every(({ status }) => status < 500) // as made here
}

function answerOf (results: Result[]): BatchResults {
  const failures = results.filter(({ problem }) => problem).length
  return { results, summary: { ok: results.length - failures, failed: failures } }
}

function failed (error: Error, { id }: Operation, request: FastifyRequest): Result {
  const problem = problemOf(error, request)
  return { status: problem.status, ...id !== undefined && { id }, problem }
}

function faultsOf (check: Check, value: unknown, pointer: string): Problem['errors'] {
  if (check(value)) return undefined
  return checkFaults(check).map((fault) => ({ ...fault, pointer: pointer + fault.pointer }))
}

/** Refuses a batch that would change a record twice: what came of it would depend on the order. */
function refuseTwins (operations: readonly Operation[], { ids }: Resource): void {
  const seen = new Set<string>()
  const faults = operations.flatMap(({ id }, index) => {
    if (id === undefined) return []
    const key = keyOf(ids, id)
    const isTwin = seen.has(key)
    seen.add(key)
    return isTwin ? [{ pointer: `/operations/${index}/id`, detail: 'must not occur twice in a batch' }] : []
  })
  if (faults.length > 0) throw new InvalidBodyError(faults)
}
