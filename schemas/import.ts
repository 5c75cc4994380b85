import { Type, type Static } from '@sinclair/typebox'
import { ProblemDetails } from './common.js'

/** A fault of a file. */
const ImportFault = Type.Object({
  line: Type.Integer({ description: 'The line of the file, from 1.' }),
  row: Type.Optional(Type.Integer({ description: 'The record, from 1; a header is none.' })),
  pointer: Type.Optional(Type.String({ description: 'JSON Pointer (RFC 6901) to the value at fault, in the record.' })),
  detail: Type.String()
})

/** What became of an import. */
export const ImportSummary = Type.Object({
  rows: Type.Integer({ description: 'The records that were read.' }),
  created: Type.Integer({ description: 'Those that are stored now; with `dryRun`, those that would be.' }),
  failed: Type.Integer({ description: 'Those that were refused.' }),
  faults: Type.Array(ImportFault, { description: 'The first 1000 faults.' })
}, { title: 'ImportSummary', description: 'What became of an import.' })

/** What is answered where an import ends before its file does. */
export const ImportProblem = Type.Object({
  ...ProblemDetails.properties,
  summary: Type.Optional(ImportSummary)
}, { title: 'ImportProblem', description: 'Problem details (RFC 9457), with what became of the import until then.' })

export const exampleSummary: Static<typeof ImportSummary> = {
  rows: 3, created: 2, failed: 1, faults: [{ line: 3, row: 2, pointer: '/gpa', detail: 'must be <= 4' }]
}
