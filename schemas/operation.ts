import { Type, type Static } from '@sinclair/typebox'
import { ProblemDetails } from './common.js'
import type { Resource } from './resource.js'

/** The most operations of one batch. */
export const MAX_OPERATIONS = 1000

const data = (description: string) => Type.Unsafe<Record<string, unknown>>({ type: 'object', description })

// closed: a change whose condition is misspelled must not be made without it
const closed = { additionalProperties: false }

const Create = Type.Object({ op: Type.Literal('create'), data: data('The record to create.') }, closed)

/** One change of a batch. */
export interface Operation {
  op: 'create' | 'patch' | 'delete'
  id?: string
  ifMatch?: string
  data?: Record<string, unknown>
}

function operation (pattern: string) {
  const target = {
    id: Type.String({ pattern, description: 'The record.' }),
    ifMatch: Type.Optional(Type.String({ description: 'The ETag of that record as the client knows it, as in the header If-Match.' }))
  }
  const Patch = Type.Object({ op: Type.Literal('patch'), ...target, data: data('A merge patch (RFC 7396).') }, closed)
  const Delete = Type.Object({ op: Type.Literal('delete'), ...target }, closed)
  return Type.Unsafe<Operation>({ type: 'object', discriminator: { propertyName: 'op' }, oneOf: [Create, Patch, Delete] })
}

/** The body of a batch. */
export function batchBody ({ title, plural, ids, example, exampleShown }: Resource) {
  const [field = ''] = Object.keys(example).slice(-1)
  return Type.Object({ operations: Type.Array(operation(ids.pattern), { minItems: 1, maxItems: MAX_OPERATIONS }) }, {
    title: `${title}Batch`,
    description: `Changes of ${plural}, each of a different one. Each is made whole or not at all; the batch as a whole is not atomic.`,
    examples: [{ operations: [{ op: 'create', data: example }, { op: 'patch', id: exampleShown.id, data: { [field]: exampleShown[field] } }] }]
  })
}

const OperationProblem = Type.Omit(ProblemDetails, ['instance'], {
  title: 'OperationProblem',
  description: 'Problem details (RFC 9457) of one change, without the path: that of the request is that of all.'
})

/** What became of one change. */
const Result = Type.Object({
  status: Type.Integer({ description: 'The status that the change would have had as a request of its own.' }),
  id: Type.Optional(Type.String({ description: 'The id of the record.' })),
  etag: Type.Optional(Type.String({ description: 'The ETag of the record as it is now.' })),
  problem: Type.Optional(OperationProblem)
})

/** The answer to a batch. */
export const BatchResults = Type.Object({
  results: Type.Array(Result, { description: 'The outcomes, in the order of the operations.' }),
  summary: Type.Object({ ok: Type.Integer(), failed: Type.Integer() }, { description: 'How many changes were made, and how many were not.' })
}, { title: 'BatchResults', description: 'What became of the changes of a batch.' })

export type BatchResults = Static<typeof BatchResults>

export const exampleResults = ({ exampleShown: { id } }: Resource): BatchResults => ({
  results: [{ status: 201, id, etag: '"Tjb4yqZOpvkaMn0kiqnlJ1"' }, { status: 200, id, etag: '"kM2sPq4ZbL0dV1nXw8yRt3"' }],
  summary: { ok: 2, failed: 0 }
})
