import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { KeyReusedError } from '../../lib/http/errors.js'
import { CSV_TYPE, NDJSON_TYPES } from '../../lib/http/media-types.js'
import { negotiate } from '../../lib/http/negotiate.js'
import { IdRun } from '../../lib/idempotency/id-run.js'
import { digestOf } from '../../lib/idempotency/key.js'
import type { HeldKey, IdempotencyKeys } from '../../lib/idempotency/keys.js'
import { csvRows } from '../../lib/import/csv.js'
import { Importer, type ImportSummary, type ValidRow } from '../../lib/import/importer.js'
import { ndjsonRows } from '../../lib/import/ndjson.js'
import type { Row } from '../../lib/import/row.js'
import { checkedUtf8 } from '../../lib/import/utf8.js'
import type { BulkQuery } from '../../lib/query/list-query.js'
import { FieldConversion } from '../../lib/resources/fields.js'
import type { BulkRepository } from '../../lib/resources/repository.js'
import { problemOf } from '../../plugins/errors.js'
import { mediaTypeOf, unsupported } from '../../plugins/json-bodies.js'
import { PROBLEM_TYPE } from '../../schemas/problem.js'
import type { Body, Fields, Resource } from '../../schemas/resource.js'
import { hasKey, replay, reserve, unlessThere } from '../once.js'
import { askForBody } from './ask-for-body.js'
import { checkFaults, toChecks } from './checks.js'
import { leaving } from './leaving.js'

export interface ImportOptions {
  resource: Resource
  repository: BulkRepository
  keys: IdempotencyKeys | undefined
  /** The schema and the configuration of the route. */
  route: object
  /** The most bytes of one record. */
  bodyLimit: number
}

/** How often it is told how far an import has come; proxies end connections that are silent. */
const PROGRESS_MS = 1_000

/** What a finished import is remembered by. */
interface Remembered {
  summary: ImportSummary
  /** A hash of its rows. */
  digest: string
}

/** Adds the route that takes a file of records. */
export function addImport (app: FastifyInstance, { resource, repository, keys, route, bodyLimit }: ImportOptions) {
  const conversion = new FieldConversion(resource.fields)
  const { create: isValid } = toChecks(app, resource)

  app.post('/import', { ...route, onRequest: askForBody(bodyLimit) }, async (request, reply) => {
    // of a request without a body and without a type nothing is parsed
    if (request.body === undefined) throw unsupported(request)
    const type = negotiate(request.headers, ['application/json', ...NDJSON_TYPES])
    const { dryRun } = request.query as BulkQuery // as plugins/query-strings.ts parsed it
    const isKeyed = hasKey(request)
    const reservation = isKeyed && dryRun !== 'true' ? await reserve(keys, request, reply, { fingerprint: digestOf(mediaTypeOf(request)) }) : undefined
    const isDone = reservation && 'answer' in reservation
    const done = isDone ? replay(reservation.answer, reply) as Remembered : undefined // as it was remembered
    const held = reservation && !isDone ? reservation.held : undefined
    const importer = importerOf(request, reply, held, done !== undefined)
    const work = async () => done ? repeated(importer, done) : finished(importer, held)
    return type === 'application/json' ? answer(work, importer, request, reply) : reply.type(type).send(Readable.from(progress(work, importer, request)))
  })

  function importerOf (request: FastifyRequest, reply: FastifyReply, held: HeldKey | undefined, isRepeated: boolean): Importer {
    const { onError, dryRun } = request.query as BulkQuery // as above
    const { run: ids } = held ?? { run: IdRun.begin() }
    return new Importer({
      rows: rowsOf(request),
      check: (value) => isRepeated || isValid(value) ? [] : checkFaults(isValid),
      create: async (rows) => createAll(rows, ids, held?.isTakenOver === true),
      stops: onError === 'stop' && !isRepeated,
      isDry: isRepeated || dryRun === 'true',
      held,
      signal: leaving(reply)
    })
  }

  async function createAll (rows: readonly ValidRow[], ids: IdRun, isTakenOver: boolean): Promise<(Error | undefined)[]> {
    const records = rows.map(({ row, value }) => ({ id: resource.ids.of(ids.at(row - 1)), fields: conversion.ofBody(value as Body<Fields>) })) // as it was checked
    const errors = await repository.createMany(records)
    return isTakenOver ? unlessThere(errors, records.map(({ id }) => id), repository) : errors
  }

  function rowsOf (request: FastifyRequest): AsyncIterable<Row> {
    // what is left of the body once the import has ended is the server's to read: to destroy it would end the connection before the answer
    const source = checkedUtf8((request.body as Readable).iterator({ destroyOnReturn: false })) // as its parser hands it on
    return mediaTypeOf(request) === CSV_TYPE ? csvRows(source, bodyLimit, resource.fields) : ndjsonRows(source, bodyLimit)
  }
}

/** Imports the file; whatever ends it before its end leaves the key to a second try. */
async function finished (importer: Importer, held: HeldKey | undefined): Promise<ImportSummary> {
  try {
    const summary = await importer.run()
    await held?.finish({ status: 200, body: { summary, digest: importer.digest } })
    return summary
  } catch (error) {
    // without a word it is left after its time
    await held?.release().catch(() => {})
    throw error
  }
}

/** The same file has been imported. */
async function repeated (importer: Importer, { summary, digest }: Remembered): Promise<ImportSummary> {
  await importer.run()
  if (importer.digest !== digest) throw new KeyReusedError()
  return summary
}

async function answer (work: () => Promise<ImportSummary>, importer: Importer, request: FastifyRequest, reply: FastifyReply) {
  try {
    return await work()
  } catch (error) {
    const problem = endOf(error as FastifyError, importer, request) // nothing here throws anything else
    return reply.code(problem.status).type(PROBLEM_TYPE).send(problem)
  }
}

function endOf (error: FastifyError, { summary }: Importer, request: FastifyRequest) {
  const problem = problemOf(error, request)
  // of that one nothing was imported now
  return error instanceof KeyReusedError ? problem : { ...problem, summary }
}

/** A line each second, and the summary last. */
async function * progress (work: () => Promise<ImportSummary>, importer: Importer, request: FastifyRequest): AsyncGenerator<string> {
  let last: object | undefined
  const ended = work().then((summary) => { last = { summary } }, (error) => { last = { problem: endOf(error, importer, request) } })
  for (;;) {
    await Promise.race([ended, sleep(PROGRESS_MS, undefined, { ref: false })])
    if (last) break
    const { rows, created, failed } = importer.summary
    yield `${JSON.stringify({ progress: { rows, created, failed } })}\n`
  }
  yield `${JSON.stringify(last)}\n`
}
