import type { Problem } from '../../schemas/problem.js'

/** A body that is not valid for a reason that its schema cannot say: 422, with every fault. */
export class InvalidBodyError extends Error {
  override name = 'InvalidBodyError'
  readonly statusCode = 422
  readonly faults: NonNullable<Problem['errors']>

  constructor (faults: NonNullable<Problem['errors']>) {
    super('The body is not valid.')
    this.faults = faults
  }
}
