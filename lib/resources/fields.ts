import { Double, Long } from 'mongodb'
import { kindOf, type Body, type Fields, type Kind, type Stored, type UpdateBody } from '../../schemas/resource.js'

type Convert = (value: unknown) => unknown

interface Conversion {
  /** From a valid body to what a repository is given: numbers that came as text are numbers, times are in UTC. */
  given: Convert
  /** From there to BSON. */
  stored: Convert
}

const asIs: Convert = (value) => value

const conversions: Record<Kind, Conversion> = {
  text: { given: asIs, stored: asIs },
  boolean: { given: asIs, stored: asIs },
  // -0 becomes 0; a double also for a whole number, which the driver would store as int32
  number: { given: (value) => Number(value) + 0, stored: (value) => new Double(Number(value)) },
  // the driver stores a whole number beyond int32 as a double
  integer: { given: (value) => Number(value) + 0, stored: (value) => Number(value) === (Number(value) | 0) ? value : Long.fromNumber(Number(value)) },
  // as it will be read
  'date-time': { given: (value) => new Date(String(value)).toISOString(), stored: (value) => new Date(String(value)) }
}

/** How the fields of a resource go from a body to a repository, and from there into BSON. */
export class FieldConversion<F extends Fields> {
  #fields: [name: string, conversion: Conversion][]

  constructor (fields: F) {
    this.#fields = Object.entries(fields).map(([name, schema]) => [name, conversions[kindOf(schema)]])
  }

  /** The fields of a valid body, picked by name: whatever else the body holds is left behind. */
  ofBody (body: Body<F>): Stored<F> {
    return this.#pick(body, 'given', (value) => value !== undefined) as Stored<F> // the validated body has what the type asks for
  }

  /** The fields of a valid body that are to change: those that are there and not null. */
  ofUpdate (body: UpdateBody<F>): Partial<Stored<F>> {
    return this.#pick(body, 'given', (value) => value != null) as Partial<Stored<F>> // as above
  }

  /** The fields of a valid merge patch (RFC 7396); one that is removed is null, which answers leave out. */
  ofPatch (body: UpdateBody<F>): Partial<Stored<F>> {
    return this.#pick(body, 'given', (value) => value !== undefined) as Partial<Stored<F>> // as above
  }

  /** The fields as BSON. */
  toBson (values: Partial<Stored<F>>): Record<string, unknown> {
    return this.#pick(values, 'stored', (value) => value !== undefined)
  }

  #pick (from: object, direction: keyof Conversion, isTaken: (value: unknown) => boolean): Record<string, unknown> {
    const picked: Record<string, unknown> = {}
    for (const [name, conversion] of this.#fields) {
      const value: unknown = (from as Record<string, unknown>)[name] // an object, asked for by a name
      if (isTaken(value)) picked[name] = value === null ? null : conversion[direction](value)
    }
    return picked
  }
}
