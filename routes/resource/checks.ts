import type { ErrorObject } from 'ajv'
import { toFaults } from '../../lib/http/validation-faults.js'
import type { FastifyInstance } from 'fastify'
import type { Resource } from '../../schemas/resource.js'

/** Says whether a value is valid; the faults of the last one are in `errors`. */
export interface Check {
  (value: unknown): boolean
  errors?: ErrorObject[] | null
}

/** The faults of the value that was checked last; none where it is valid. */
export function checkFaults ({ errors }: Check): ReturnType<typeof toFaults> {
  return toFaults(errors ?? [])
}

/** The validation of single records, for requests that hold many. */
export function toChecks (app: FastifyInstance, { create, patch }: Resource): { create: Check, patch: Check } {
  const compile = (schema: object) => app.validatorCompiler?.({ schema, method: 'POST', url: '', httpPart: 'body' }) as unknown as Check // as app.ts set it
  return { create: compile(create), patch: compile(patch) }
}
