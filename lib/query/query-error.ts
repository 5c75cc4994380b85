import { InvalidBodyError } from '../http/body-error.js'

/** One fault of a query. */
export interface QueryFault {
  parameter: string
  detail: string
}

/** A query that is not valid: 422, with every fault. */
export class InvalidQueryError extends Error {
  override name = 'InvalidQueryError'
  readonly statusCode = 422
  readonly faults: QueryFault[]

  constructor (faults: QueryFault[]) {
    super('The query is not valid.')
    this.faults = faults
  }

  /** The same, where what was asked came as a body. */
  inBody (): InvalidBodyError {
    return new InvalidBodyError(this.faults.map(({ parameter, detail }) => ({ pointer: `/${parameter}`, detail })))
  }
}

/** A query whose percent-encoding or UTF-8 is malformed. */
export class MalformedQueryError extends Error {
  override name = 'MalformedQueryError'
  readonly statusCode = 400

  constructor () {
    super('The query is not percent-encoded UTF-8.')
  }
}
