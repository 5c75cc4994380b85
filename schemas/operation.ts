import { Type, type Static } from '@sinclair/typebox'
import { ObjectIdHex, ProblemDetails } from './common.js'
import { EXAMPLE_ID, type Resource } from './resource.js'

/** The most operations of one batch. */
export const MAX_OPERATIONS = 1000

/** One change of a batch. */
const Operation = Type.Object({
  op: Type.Unsafe<'create' | 'patch' | 'delete'>({ type: 'string', enum: ['create', 'patch', 'delete'], description: 'What to do.' }),
  id: Type.Optional(Type.String({ pattern: String(ObjectIdHex.pattern), description: 'The record to patch or to delete.' })),
  ifMatch: Type.Optional(Type.String({ description: 'The ETag of that record as the client knows it, as in the header If-Match.' })),
  data: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'The record to create, or a merge patch (RFC 7396).' }))
})

export type Operation = Static<typeof Operation>

/** The body of a batch. */
export function batchBody ({ title, plural, example, exampleShown }: Resource) {
  const [field = ''] = Object.keys(example).slice(-1)
  return Type.Object({ operations: Type.Array(Operation, { minItems: 1, maxItems: MAX_OPERATIONS }) }, {
    title: `${title}Batch`,
    description: `Changes of ${plural}, each of a different one. Each is made whole or not at all; the batch as a whole is not atomic.`,
    examples: [{ operations: [{ op: 'create', data: example }, { op: 'patch', id: exampleShown.id, data: { [field]: exampleShown[field] } }] }]
  })
}

/** What became of one change. */
const Result = Type.Object({
  status: Type.Integer({ description: 'The status that the change would have had as a request of its own.' }),
  id: Type.Optional(Type.String({ description: 'The id of the record.' })),
  etag: Type.Optional(Type.String({ description: 'The ETag of the record as it is now.' })),
  problem: Type.Optional(ProblemDetails)
})

/** The answer to a batch. */
export const BatchResults = Type.Object({
  results: Type.Array(Result, { description: 'The outcomes, in the order of the operations.' }),
  summary: Type.Object({ ok: Type.Integer(), failed: Type.Integer() }, { description: 'How many changes were made, and how many were not.' })
}, { title: 'BatchResults', description: 'What became of the changes of a batch.' })

export type BatchResults = Static<typeof BatchResults>

export const exampleResults: BatchResults = {
  results: [{ status: 201, id: EXAMPLE_ID, etag: '"Tjb4yqZOpvkaMn0kiqnlJ1"' }, { status: 200, id: EXAMPLE_ID, etag: '"kM2sPq4ZbL0dV1nXw8yRt3"' }],
  summary: { ok: 2, failed: 0 }
}
