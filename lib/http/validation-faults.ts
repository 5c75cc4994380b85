import type { ErrorObject } from 'ajv'
import type { Problem } from '../../schemas/problem.js'
import { VISIBLE } from '../../schemas/common.js'
import { suggestion } from '../options/nearest.js'
import { oneOf } from './negotiate.js'

type Fault = Extract<NonNullable<Problem['errors']>[number], { pointer: string }>

/** A schema that a property with a constant tells from others. */
interface Variant { properties: Record<string, { const?: string }> }

type ValidationError = Pick<ErrorObject, 'keyword' | 'instancePath' | 'params' | 'message' | 'parentSchema' | 'data'>

/** The fault of text of which nothing can be seen. */
export const UNSEEN = 'must hold a character that can be seen'

/** Ajv's errors as the `errors` of problem details: a JSON Pointer (RFC 6901) and a text each, and the first one for a value. */
export function toFaults (errors: readonly ValidationError[]): Fault[] {
  const faults = new Map<string, Fault>()
  for (const error of errors) {
    const fault = { pointer: pointer(error), detail: detail(error) }
    if (!faults.has(fault.pointer)) faults.set(fault.pointer, fault)
  }
  return Array.from(faults.values())
}

/** Which parameter of an error has the name of the member that it is about, where it is not about the value as a whole. */
const NAMED: Readonly<Record<string, string>> = { required: 'missingProperty', additionalProperties: 'additionalProperty', discriminator: 'tag' }

function pointer ({ keyword, instancePath, params }: ValidationError): string {
  const name: unknown = params[NAMED[keyword] ?? '']
  if (name === undefined) return instancePath
  return `${instancePath}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function detail ({ keyword, params, message, parentSchema, data }: ValidationError): string {
  if (parentSchema?.['x-message'] !== undefined && !(keyword in NAMED)) return String(parentSchema['x-message'])
  if (keyword === 'required' || (keyword === 'discriminator' && params.tagValue === undefined)) return 'is required'
  if (keyword === 'discriminator') return `must be ${oneOf(parentSchema?.oneOf.map((variant: Variant) => variant.properties[params.tag]?.const))}`
  if (keyword === 'additionalProperties') return `must not stand here${suggestion(params.additionalProperty, Object.keys(parentSchema?.properties))}`
  if (keyword === 'type' && data === null && parentSchema?.['x-kept']) return "can't be removed"
  if (keyword === 'type') return `must be ${[params.type].flat().join(' or ')}`
  if (keyword === 'pattern' && params.pattern === VISIBLE) return UNSEEN
  // a pattern beside `number` is there for numerals: say what it means rather than what it is
  if (keyword === 'pattern' && parentSchema?.type.includes('number')) {
    return `must be a number from ${parentSchema.minimum} to ${parentSchema.maximum}`
  }
  return String(message)
}
