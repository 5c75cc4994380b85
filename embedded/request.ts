import { fieldsOf, maxDepth, text, types, validate, type Field } from './bson.js'
import { MongoError } from './errors.js'
import { servedKind, type Kind, type Names } from './surface.js'
import type { Message } from './wire.js'

const numbers: number[] = [types.double, types.int32, types.int64]
const kinds: Record<Exclude<Kind, 'any'>, number[]> = {
  number: numbers,
  int64: [types.int64],
  boolean: [types.boolean],
  flag: [types.boolean, ...numbers],
  string: [types.string],
  object: [types.object],
  array: [types.array]
}

/** A command as it came, with typed access to its fields. Values stay bytes until someone asks. */
export class Request {
  readonly command: string
  readonly database: string
  readonly fields = new Map<string, Field>()
  readonly sequences: Map<string, Buffer[]>

  constructor (message: Message) {
    // Commands nest their documents two levels deep.
    validate(message.body, maxDepth + 2)
    for (const field of fieldsOf(message.body)) {
      if (this.fields.has(field.name) || message.sequences.has(field.name)) {
        throw new MongoError('IDLDuplicateField', `BSON field '${field.name}' is a duplicate field`)
      }
      this.fields.set(field.name, field)
    }
    for (const documents of message.sequences.values()) for (const document of documents) validate(document, maxDepth)
    this.sequences = message.sequences
    this.command = this.fields.keys().next().value ?? ''
    this.database = message.database ?? this.string('$db')
    checkDatabase(this.database)
  }

  /** `<database>.<collection>`, the collection being the value of `field` (by default of the command itself). */
  namespace (field = this.command): string {
    const collection = this.fields.get(field)
    if (collection?.type !== types.string) throw new MongoError('InvalidNamespace', 'collection name has invalid type')
    return checkNamespace(`${this.database}.${text(collection.value)}`)
  }

  /** The session (lsid) as hex, to compare. */
  get session (): string | undefined {
    return this.document('lsid')?.toString('hex')
  }

  has (name: string): boolean {
    return this.fields.has(name)
  }

  string (name: string): string {
    return text(this.required(name, 'string').value)
  }

  document (name: string): Buffer | undefined {
    return this.optional(name, 'object')?.value
  }

  boolean (name: string, fallback: boolean): boolean {
    const field = this.optional(name, 'flag')
    if (field === undefined) return fallback
    return field.type === types.boolean ? field.value[0] === 1 : numberOf(field) !== 0
  }

  /** A whole number of at least 0. */
  count (name: string, fallback: number): number {
    const field = this.optional(name, 'number')
    if (field === undefined) return fallback
    const value = numberOf(field)
    if (value < 0) throw new MongoError('BadValue', `BSON field '${name}' value must be >= 0, actual value '${value}'`)
    return value
  }

  /** The documents of an array field, in the body or as a sequence of its own. */
  documents (name: string): Buffer[] {
    const sequence = this.sequences.get(name)
    if (sequence !== undefined) return sequence
    return fieldsOf(this.required(name, 'array').value).map(field => {
      checkKind(this.command, { ...field, name: `${name}.${field.name}` }, 'object')
      return field.value
    })
  }

  required (name: string, kind: Kind): Field {
    const field = this.optional(name, kind)
    if (field === undefined) throw new MongoError('IDLFailedToParse', `BSON field '${this.command}.${name}' is missing but a required field`)
    return field
  }

  private optional (name: string, kind: Kind): Field | undefined {
    const field = this.fields.get(name)
    if (field !== undefined) checkKind(this.command, field, kind)
    return field
  }
}

/** The namespace, as it came. */
export function checkNamespace (namespace: string): string {
  if (/^[^.]+\.(?!system\.)[^.$\0]([^$\0]*[^.$\0])?$/.test(namespace) && Buffer.byteLength(namespace) <= 255) return namespace
  throw new MongoError('InvalidNamespace', `Invalid namespace specified '${namespace}'`)
}

export function checkKind (command: string, field: Field, kind: Kind): void {
  if (kind === 'any' || kinds[kind].includes(field.type)) return
  throw new MongoError('TypeMismatch', `BSON field '${command}.${field.name}' is the wrong type, expected type '${kind}'`)
}

/** Checks a field of a command, or of a part of one, against those served. */
export function checkField (what: string, field: Field, names: Names): void {
  checkKind(what, field, servedKind(names, field.name, 'IDLUnknownField', `BSON field '${what}.${field.name}' is an unknown field`))
}

export function numberOf ({ type, value }: Field): number {
  if (type === types.double) return Math.trunc(value.readDoubleLE())
  return type === types.int32 ? value.readInt32LE() : Number(value.readBigInt64LE())
}

function checkDatabase (database: string): void {
  if (/^[^/\\. "$*<>:|?\0]+$/.test(database) && Buffer.byteLength(database) < 64) return
  throw new MongoError('InvalidNamespace', `Invalid database name: '${database}'`)
}
