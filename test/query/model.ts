import { BSONRegExp } from 'bson'
import type { StoredRecord } from './documents.js'

/** The classes of BSON types whose values compare with each other, and what is compared of a value. */
function classOf (value: unknown): [name: string, comparable: unknown] {
  if (value === null || value === undefined) return ['null', null]
  if (typeof value === 'string') return ['text', value]
  if (typeof value === 'boolean') return ['boolean', Number(value)]
  if (Array.isArray(value)) return ['array', value]
  if (value instanceof Date) return ['date', value.getTime()]
  const type = (value as { _bsontype?: string })._bsontype
  if (type === 'BSONSymbol') return ['text', String(value)]
  if (typeof value === 'number' || type === 'Double' || type === 'Int32' || type === 'Long' || type === 'Decimal128') return ['number', value]
  if (type === 'ObjectId') return ['id', String(value)]
  return ['other', value]
}

/** Whether a value meets the comparison with text, or with a number given as text; as MongoDB's manual says it, in plain JavaScript. */
function compares (operator: string, stored: unknown, kind: 'text' | 'number', given: string): boolean {
  const [name, comparable] = classOf(stored)
  if (name !== kind) return false
  if (kind === 'text') return holds(operator, Buffer.compare(Buffer.from(String(comparable)), Buffer.from(given)))
  const order = numericOrder(String(comparable), given)
  return order !== undefined && holds(operator, order)
}

function holds (operator: string, order: number): boolean {
  switch (operator) {
    case 'eq': return order === 0
    case 'gt': return order > 0
    case 'gte': return order >= 0
    case 'lt': return order < 0
    default: return order <= 0
  }
}

/** Undefined where one of the two is not a number. Whole numbers are compared exactly. */
function numericOrder (stored: string, given: string): number | undefined {
  if (Number.isNaN(Number(stored))) return undefined
  if (/^-?\d+$/.test(stored) && Number.isInteger(Number(given))) return Number(BigInt(stored) - BigInt(Number(given)))
  return Number(stored) - Number(given)
}

/** Whether any of what is stored meets it: an array does by any of its elements. */
const any = (stored: unknown, meets: (value: unknown) => boolean) => meets(stored) || (Array.isArray(stored) && stored.some(meets))

function isExpression (stored: unknown, pattern: string): boolean {
  return any(stored, (value) => value instanceof BSONRegExp && value.pattern === pattern)
}

/** Whether an answer shows the field. */
function isShown (stored: unknown, kind: 'text' | 'number'): boolean {
  const [name, comparable] = classOf(stored)
  return name === kind && (kind === 'text' || Number.isFinite(Number(String(comparable))))
}

/** Whether a stored record meets one parameter of a query: a plain evaluation, to compare the API's answers with. */
export function meets (document: StoredRecord, [name, values]: [string, string[]]): boolean {
  const [field = '', operator = 'eq'] = name.split('.')
  const kind = field === 'gpa' ? 'number' : 'text'
  const stored = document[field]
  const [value = ''] = values
  const is = (operator: string, given: string) => any(stored, (each) => compares(operator, each, kind, given))
  const text = (found: (text: string) => boolean) => any(stored, (each) => classOf(each)[0] === 'text' && found(String(each)))
  switch (operator) {
    case 'ne': return !is('eq', value)
    case 'in': return values.some((each) => is('eq', each))
    case 'prefix': return any(stored, (each) => classOf(each)[0] === 'text' && String(each).startsWith(value))
    // MongoDB's $regex also finds a stored expression that is the same
    case 'contains': return text((each) => each.includes(value)) || isExpression(stored, value)
    case 'icontains': return text((each) => each.toLowerCase().includes(value.toLowerCase()))
    case 'exists': return isShown(stored, kind) === (value === 'true')
    default: return is(operator, value)
  }
}
