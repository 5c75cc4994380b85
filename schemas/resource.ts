import { OptionalKind, Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { nullable, ObjectIdHex } from './common.js'
import { objectIds, type Ids } from './ids.js'

/** The most items of one list. */
export const LIST_LIMIT = 1000

/** The id that every example has, or the seed of it. */
export const EXAMPLE_ID = String(ObjectIdHex.examples[0])

/** The fields of a resource by name, each as its TypeBox schema. */
export type Fields = Record<string, TSchema>

/** What the values of a field are: how they are stored, shown and filtered goes by that. */
export type Kind = 'text' | 'number' | 'integer' | 'boolean' | 'date-time'

/** Of a schema of several types, such as a number or null, the first one counts. */
export function kindOf ({ type, format }: TSchema): Kind {
  const [first] = [type].flat()
  if (first === 'number' || first === 'integer' || first === 'boolean') return first
  return format === 'date-time' ? format : 'text'
}

/** A valid body of a create. */
export type Body<F extends Fields> = Static<TObject<F>>

/** A valid body of an update: what is missing or null stays as it is. */
export type UpdateBody<F extends Fields> = { [K in keyof F]?: Static<F[K]> | null }

/** What is stored: a number that may come as text is a number. */
export type Stored<F extends Fields> = { [K in keyof Body<F>]: number extends Body<F>[K] ? Exclude<Body<F>[K], string> : Body<F>[K] }

/** What is answered: only the id is certain, since other software may have written the document. */
export type Shown<F extends Fields> = { id: string } & Partial<Stored<F>>

/** What a resource is; every other shape, route and text of it derives from that. */
export interface ResourceDefinition<F extends Fields> {
  /** The word for one, in lower case: `student`. Schemas and operations are named by it. */
  name: string
  /** The word for several: the path, the tag, the property of a list, and the names of the scopes. Default: the name with an s. */
  plural?: string
  /** Says what the records are, in OpenAPI. */
  description: string
  /** The collection in the database, default the plural. */
  collection?: string
  /** What a token must allow, default `<plural>:read` and `<plural>:write`. */
  scopes?: { read: string, write: string }
  /** What the ids are, default MongoDB's ObjectIds; `uuids`, or text of your own. */
  ids?: Ids
  /**
   * What a body may hold, beside which it may not have an `id`. The type says how a field is stored: `number` as a BSON double,
   * `integer` as int32 or int64, `date-time` text as a date, others as they are.
   */
  fields: F
  /** How a field is answered, where that is not by its type and description alone. */
  shown?: { [K in keyof F]?: TSchema }
  /** An example of a body, as the documentation shows it. */
  example: Body<F>
}

/** A resource: its definition, and the shapes of it that validation, serialization and OpenAPI use. */
export interface Resource<F extends Fields = Fields> extends Required<ResourceDefinition<F>> {
  /** The name as the first word of a title: `Student`. */
  title: string
  /** The same of several: `Students`. */
  pluralTitle: string
  /** The body of a create. */
  create: TObject
  /** The body of an update. */
  update: TObject
  /** A merge patch (RFC 7396): null removes a field that is optional. */
  patch: TObject
  /** One record of an answer. */
  one: TObject
  /** A list of them. */
  list: TObject
  /** An example of an answer. */
  exampleShown: Shown<F>
}

/** What stands beside the records of a page. */
export const page = {
  next: Type.Optional(Type.String({ description: 'The path and query of the next page, where there is one.' })),
  cursor: Type.Optional(Type.String({ description: 'In answers to QUERY: the cursor of the next page, where there is one.' })),
  total: Type.Optional(Type.Object({
    value: Type.Integer({ description: 'How many records match.' }),
    relation: Type.Unsafe<'eq' | 'gte'>({ type: 'string', enum: ['eq', 'gte'], description: 'Whether there are so many, or at least so many.' })
  }, { description: 'With `count`: how many records match. It is left out where the database did not count them in time.' }))
}

const ignored = 'An `id` or `_id` and unknown fields are ignored and never stored.'

/** Throws a TypeError where a name would not do in a path, a schema and a scope. */
export function defineResource<F extends Fields> (definition: ResourceDefinition<F>): Resource<F> {
  const { name, plural = `${name}s`, fields, example, ids = objectIds } = definition
  for (const word of [name, plural]) if (!/^[a-z][a-z0-9-]*$/.test(word)) throw new TypeError(`a resource cannot be named ${word}`)
  for (const taken of ['id', '_id', 'etag', 'created', 'or']) if (taken in fields) throw new TypeError(`${name}: no field can be named ${taken}, which means something in every resource`)
  const exampleId = ids.of(EXAMPLE_ID)
  if (!new RegExp(ids.pattern, 'u').test(exampleId)) throw new TypeError(`${name}: ids.of makes ids such as ${exampleId}, which do not match ids.pattern`)
  const title = toTitle(name)
  const one = shownSchema(title, definition)
  return {
    collection: plural,
    scopes: { read: `${plural}:read`, write: `${plural}:write` },
    shown: {},
    ids,
    ...definition,
    plural,
    title,
    pluralTitle: toTitle(plural),
    create: Type.Object(fields, {
      title: `Create${title}Model`,
      description: `A ${name} to create${Object.values(fields).every((field) => !(OptionalKind in field)) ? '; all fields are required' : ''}. ${ignored}`,
      examples: [example]
    }),
    update: Type.Object(mapFields(fields, (field) => Type.Optional(nullable(field))), {
      title: `Update${title}Model`,
      description: `The fields of a ${name} to change; a field that is missing or null stays as it is. ${ignored}`,
      examples: [example]
    }),
    patch: Type.Object(mapFields(fields, (field) => Type.Optional(OptionalKind in field ? nullable(field) : { ...field, 'x-kept': true })), {
      title: `Patch${title}Model`,
      description: `A merge patch (RFC 7396): the fields of a ${name} to change. ${ignored}`,
      examples: [example]
    }),
    one,
    list: Type.Object({ [plural]: Type.Array(one, { maxItems: LIST_LIMIT }), ...page }, {
      title: `${title}Collection`,
      description: `At most ${LIST_LIMIT} ${plural}. The list stands in an object, because a bare JSON array at the top was open to JSON hijacking.`
    }),
    exampleShown: { id: exampleId, ...example } as Shown<F> // an example has numbers as numbers
  }
}

/** What a resource that goes further than another one has of its own. */
export interface Extension<F extends Fields> {
  fields: F
  example: Body<F>
  shown?: { [K in keyof F]?: TSchema }
  collection?: string
  scopes?: { read: string, write: string }
}

/** The same resource, with further fields, or with a collection or scopes of its own. */
export function extendResource<F extends Fields, More extends Fields> (resource: Resource<F>, extension: Extension<More>): Resource<F & More> {
  const { name, plural, description, collection, scopes, ids, fields, shown, example } = resource
  return defineResource({
    name,
    plural,
    description,
    collection,
    scopes,
    ids,
    ...extension,
    fields: { ...fields, ...extension.fields },
    shown: { ...shown, ...extension.shown } as ResourceDefinition<F & More>['shown'] & {}, // by the names of both
    example: { ...example, ...extension.example } as object as Body<F & More> // as above
  })
}

function toTitle (word: string): string {
  return word.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** What is shown promises no bounds: other software may have written the document. */
function shownSchema<F extends Fields> (title: string, { name, fields, shown = {}, ids = objectIds }: ResourceDefinition<F>): TObject {
  return Type.Object({
    id: Type.String({ 'x-bson': '_id', ...ids.description !== undefined && { description: ids.description } }),
    ...mapFields(fields, (field, key) => Type.Optional(shown[key] ?? unbounded(field))),
    etag: Type.Optional(Type.String({ 'x-computed': true, description: 'The ETag of the record, in a list that was asked for it by `fields`.' }))
  }, {
    title: `${title}Model`,
    description: `A ${name} record. Only \`id\` is certain: a field that other software stored with another type, or not at all, is left out.`
  })
}

/** The schema without what restricts values of its type, but for what the type means. */
function unbounded (field: TSchema): TSchema {
  const { type, format, enum: values, description } = field
  const [first] = [type].flat()
  return Type.Unsafe({ type: first, ...(kindOf(field) === 'date-time' && { format }), ...(values && { enum: values }), ...(description && { description }) })
}

function mapFields<F extends Fields> (fields: F, map: (field: TSchema, name: keyof F & string) => TSchema): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, map(field, name)]))
}
