import { Readable } from 'node:stream'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import pLimit, { type LimitFunction } from 'p-limit'
import { CSV_TYPE, NDJSON_TYPES, ROW_TYPES } from '../../lib/http/media-types.js'
import { negotiate } from '../../lib/http/negotiate.js'
import type { ExportQuery } from '../../lib/query/list-query.js'
import { InvalidQueryError } from '../../lib/query/query-error.js'
import type { Repository } from '../../lib/resources/repository.js'
import { RawList } from '../../lib/serialization/raw-document.js'
import { RowCompiler, type Rows } from '../../lib/serialization/rows.js'
import type { Fields, Resource, Shown } from '../../schemas/resource.js'
import { Conditions } from './conditions.js'
import { leaving } from './leaving.js'

type Piece = { items: readonly Shown<Fields>[] }

/** So many rows are written in one turn of the event loop, by all exports together: a fifth of a millisecond. */
const SLICE = 200

/** Parameters of the media type (RFC 4180 section 3). */
const CSV_WITH_HEADER = `${CSV_TYPE}; charset=utf-8; header=present`

/** Adds the route that answers all records that meet a query, as the rows of a file. */
export function addExport (app: FastifyInstance, resource: Resource, stream: NonNullable<Repository['stream']>, route: object) {
  const compiler = new RowCompiler(resource.one as object)
  const inTurns = pLimit(1)

  app.get('/export', route, async (request, reply) => {
    const query = request.query as ExportQuery // as plugins/query-strings.ts parsed it
    const type = typeOf(request, query)
    const isCsv = type === CSV_TYPE
    if (query.excel && !isCsv) throw new InvalidQueryError([{ parameter: 'excel', detail: 'is for CSV alone' }])
    reply.header('content-type', isCsv ? CSV_WITH_HEADER : type)
      .header('content-disposition', `attachment; filename="${resource.plural}.${isCsv ? 'csv' : 'ndjson'}"`)
      .header('cache-control', 'no-store')
      .header('vary', 'accept')
    // without a length, like the answer to GET
    if (request.method === 'HEAD') return reply.send(Readable.from([]))
    return reply.send(await rowsOf(stream(query, leaving(reply)), rowsFor(compiler, isCsv, query), inTurns))
  })
}

function typeOf ({ headers }: FastifyRequest, { format }: ExportQuery): string {
  if (format !== undefined) return format === 'csv' ? CSV_TYPE : NDJSON_TYPES[0]
  return negotiate(headers, ROW_TYPES)
}

function rowsFor (compiler: RowCompiler, isCsv: boolean, { fields, excel }: ExportQuery): Rows {
  const options = { tagOf: Conditions.tagOf, ...fields && { fields } }
  return isCsv ? compiler.csv({ ...options, isExcel: excel === 'true' }) : compiler.ndjson(options)
}

/**
 * The rows, as fast as the client takes them. The first piece is there before the answer begins, so a database that is away is 503; a failure
 * after that can only end the connection, which a client sees by the missing last chunk (RFC 9112 section 8).
 */
async function rowsOf (pieces: AsyncIterable<Piece>, rows: Rows, inTurns: LimitFunction): Promise<Readable> {
  const iterator = pieces[Symbol.asyncIterator]()
  const first = await iterator.next()
  return Readable.from(chunks(first, iterator, rows, inTurns), { objectMode: false })
}

async function * chunks (first: IteratorResult<Piece>, iterator: AsyncIterator<Piece>, rows: Rows, inTurns: LimitFunction): AsyncGenerator<Buffer> {
  if (rows.head !== '') yield Buffer.from(rows.head)
  try {
    for (let next = first; !next.done; next = await iterator.next()) {
      // whoever looks at the items has them decoded
      const raw = RawList.of(next.value, 'items')
      const items = raw ? [] : next.value.items
      const { length } = raw?.documents ?? items
      for (let at = 0; at < length; at += SLICE) {
        yield await inTurns(async () => {
          await endOfTurn()
          return raw ? rows.ofDocuments(raw.documents.slice(at, at + SLICE)) : rows.ofRecords(items.slice(at, at + SLICE))
        })
      }
    }
  } finally {
    await iterator.return?.()
  }
}
