import type { ErrorObject } from 'ajv'
import type { Problem } from './problem.js'

type Fault = NonNullable<Problem['errors']>[number]
type ValidationError = Pick<ErrorObject, 'keyword' | 'instancePath' | 'params' | 'message' | 'parentSchema'>

/** Ajv's errors as the `errors` of problem details: a JSON Pointer (RFC 6901) and a text each. */
export function toFaults (errors: readonly ValidationError[]): Fault[] {
  return errors.map((error) => ({ pointer: pointer(error), detail: detail(error) }))
}

function pointer ({ keyword, instancePath, params }: ValidationError): string {
  if (keyword !== 'required') return instancePath
  const name = String(params.missingProperty).replaceAll('~', '~0').replaceAll('/', '~1')
  return `${instancePath}/${name}`
}

function detail ({ keyword, params, message, parentSchema }: ValidationError): string {
  if (keyword === 'required') return 'is required'
  if (keyword === 'type') return `must be ${[params.type].flat().join(' or ')}`
  // a pattern beside `number` is there for numerals: say what it means rather than what it is
  if (keyword === 'pattern' && parentSchema?.type.includes('number')) {
    return `must be a number from ${parentSchema.minimum} to ${parentSchema.maximum}`
  }
  return String(message)
}
