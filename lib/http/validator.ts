import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { isDateTime } from './date-time.js'
import { isEmail } from './email.js'
import { UNSEEN } from './validation-faults.js'

/** Beyond the first plane, too. */
const VISIBLE_ANYWHERE = /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}]/u

/**
 * The compiler behind every request schema. It reports all faults at once and coerces nothing:
 * Ajv's coercion would turn null into "" or 0.
 */
export function createValidatorCompiler (): (route: { schema: unknown, httpPart?: string }) => ValidateFunction {
  // verbose hands lib/http/validation-faults.ts the schema that a fault comes from
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, discriminator: true, verbose: true })
  addFormats.default(ajv, ['date', 'uri', 'uuid'])
  ajv.addFormat('date-time', isDateTime)
  ajv.addFormat('email', isEmail)
  ajv.addFormat('password', true) // which says how to show it, and not what it is
  ajv.addKeyword({
    keyword: 'x-well-formed',
    type: 'string',
    schemaType: 'boolean',
    validate: (_schema: boolean, value: string) => value.isWellFormed(),
    error: { message: 'must be well-formed Unicode, without lone surrogates' }
  })
  ajv.addKeyword({
    keyword: 'x-visible',
    type: 'string',
    schemaType: 'boolean',
    validate: (_schema: boolean, value: string) => VISIBLE_ANYWHERE.test(value),
    error: { message: UNSEEN }
  })
  // tell lib/http/validation-faults.ts what null means there, and what to say of any fault of the value
  ajv.addKeyword('x-kept')
  ajv.addKeyword({ keyword: 'x-message', schemaType: 'string' })
  // queries are validated where they are parsed (plugins/query-strings.ts), from text, and streams where they are read; headers are any text
  const any = ajv.compile({})
  const isUnseen = (schema: unknown, httpPart?: string) => httpPart === 'querystring' || httpPart === 'headers' || 'x-streamed' in (schema as object)
  return ({ schema, httpPart }) => isUnseen(schema, httpPart) ? any : ajv.compile(schema as object) // Fastify types a route's schema as unknown
}
