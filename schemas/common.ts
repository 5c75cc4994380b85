import { Type, type Static, type TSchema, type TUnsafe } from '@sinclair/typebox'

/** The hex form of an ObjectId (BSON type 7), as it stands in paths and answers. */
export const ObjectIdHex = Type.String({
  pattern: '^[0-9a-fA-F]{24}$',
  description: 'The id that the server assigned: 24 hexadecimal digits.',
  examples: ['66b3f0a1c2d4e5f601234567']
})

/**
 * Text as BSON can keep it. A lone surrogate has no UTF-8 form and would be stored as U+FFFD, so it is a fault;
 * the `x-well-formed` keyword (lib/http/validator.ts) checks that.
 */
const wellFormed = (maxLength: number, options: Record<string, unknown>) =>
  Type.String({ minLength: 1, maxLength, 'x-well-formed': true, ...options })

/**
 * A pattern that finds one character that can be seen: neither space nor control, nor one that has no width or no ink
 * (Unicode's Default_Ignorable_Code_Point, and the blanks among letters and Braille). Engines of regular expressions
 * other than JavaScript's understand it too; what lies beyond the first plane is left to the keyword `x-visible`.
 */
export const VISIBLE = '[^\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f' +
  '\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb]'

/** Text of which something can be seen. */
export const text = (maxLength: number, options: Record<string, unknown> = {}) =>
  wellFormed(maxLength, { pattern: VISIBLE, 'x-visible': true, ...options })

/** The address of a mailbox; lib/http/email.ts has the rule. */
export const email = wellFormed(254, {
  format: 'email',
  description: 'An address after RFC 5321, with characters beyond ASCII as RFC 6531 and IDNA allow them; without quotes, and with a domain of two labels or more.'
})

/** The same schema, but `null` is allowed too. Type.Union would report one wrong value as several faults. */
export function nullable<T extends TSchema> (schema: T): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'].flat(), ...schema.enum && { enum: [...schema.enum, null] } })
}

const detail = Type.String()

/** One fault of a request: of a value in the body or among the path parameters, or of a parameter of the query. */
const Fault = Type.Union([
  Type.Object({ pointer: Type.String({ description: 'JSON Pointer (RFC 6901) to the value at fault.' }), detail }),
  Type.Object({ parameter: Type.String({ description: 'The name of the query parameter at fault.' }), detail })
])

/** Problem details, RFC 9457 section 3, with the extension member `errors`. */
export const ProblemDetails = Type.Object({
  type: Type.String({ description: 'The kind of problem; about:blank means that the status says it all.' }),
  title: Type.String({ description: 'The phrase of the status code.' }),
  status: Type.Integer({ description: 'The status code of this answer.' }),
  detail: Type.String({ description: 'What went wrong this time.' }),
  instance: Type.String({ description: 'The path of the request.' }),
  request_id: Type.Optional(Type.String({ description: 'The `X-Request-Id` of this answer, where it has one.' })),
  errors: Type.Optional(Type.Array(Fault, { description: 'Every fault of the request, with status 422.' }))
}, {
  title: 'ProblemDetails',
  description: 'The body of every error: problem details (RFC 9457).'
})
