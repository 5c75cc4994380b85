import type { ErrorObject } from 'ajv'
import { toFaults } from '../../lib/http/validation-faults.js'
import type { FastifyInstance } from 'fastify'
import type { Resource } from '../../schemas/resource.js'

/** Says whether a value is valid; the faults of the last one are in `errors`. */
export interface Check {
  (value: unknown): boolean
  errors?: ErrorObject[] | null
}

/** The faults of the value that was checked last, and was not valid. */
export function checkFaults ({ errors }: Check): ReturnType<typeof toFaults> {
  return toFaults(errors as ErrorObject[]) // of one that was not valid
}

/** The validation of single records, for requests that hold many. */
export function toChecks (app: FastifyInstance, { create, patch }: Resource): { create: Check, patch: Check } {
  const compiler = app.validatorCompiler as object as (route: { schema: object }) => Check // as app.ts set it
  const compile = (schema: object) => compiler({ schema })
  return { create: compile(create), patch: compile(patch) }
}
