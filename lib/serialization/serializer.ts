import fastJsonStringify, { type AnySchema } from 'fast-json-stringify'
import { compileDocument } from './bson-json.js'
import { JsonBytes } from './json-bytes.js'
import type { JsonSchema } from './json-schema.js'
import { RawDocument, RawList } from './raw-document.js'

type Serialize = (value: unknown) => string

type Build = (schema: AnySchema) => Serialize

/** Answers undefined for a value that is none of raw documents. */
type SerializeRaw = (value: unknown) => string | undefined

/**
 * The compiler behind every response schema. Each schema is compiled once: problem details alone stand behind some forty
 * answers, and would take most of the time of a start.
 *
 * A raw document, and an object that has a list of them, is written as JSON straight from its bytes where the schema allows it. Any other value, and any other schema, is fast-json-stringify's; another builder is for tests.
 */
export function createSerializerCompiler (build: Build = fastJsonStringify): (route: { schema: unknown }) => Serialize {
  const compiled = new Map<unknown, Serialize>()
  const json = new JsonBytes()
  return ({ schema }) => {
    const known = compiled.get(schema)
    if (known) return known
    const stringify = build(schema as AnySchema) // Fastify types a route's schema as unknown
    const raw = compileRaw(schema as JsonSchema, json, build)
    const serialize: Serialize = raw ? (value) => raw(value) ?? stringify(value) : stringify
    compiled.set(schema, serialize)
    return serialize
  }
}

function compileRaw (schema: JsonSchema, json: JsonBytes, build: Build): SerializeRaw | undefined {
  return compileOne(schema, json) ?? compileList(schema, json, build)
}

function compileOne (schema: JsonSchema, json: JsonBytes): SerializeRaw | undefined {
  const reader = compileDocument(schema)
  return reader && ((value) => RawDocument.json(value, ({ bson, only }) => {
    json.clear()
    reader.write(bson, json, only)
    return take(json)
  }))
}

/** An object with one list of documents; what it has beside that is written after it. */
function compileList (schema: JsonSchema, json: JsonBytes, build: Build): SerializeRaw | undefined {
  const { properties = {}, required = [] } = schema
  const [[key, { items }] = ['', {}], ...others] = Object.entries(properties).filter(([, { type }]) => type === 'array')
  const reader = items && others.length === 0 ? compileDocument(items) : undefined
  if (!reader) return undefined
  const { [key]: list, ...beside } = properties
  const names = Object.keys(beside)
  const stringify = build({ ...schema, properties: beside, required: required.filter((name) => name !== key) } as AnySchema) // as above
  // requests that shared one read share its JSON too
  const written = new WeakMap<readonly Buffer[], string>()
  return (value) => {
    const raw = RawList.of(value, key)
    if (!raw) return undefined
    const { documents, only } = raw
    const isAlone = names.every((name) => (value as Record<string, unknown>)[name] === undefined) // an object, as found
    const rest = isAlone ? '}' : stringify(value).slice(1)
    const isShared = rest === '}' && !only
    const shared = isShared ? written.get(documents) : undefined
    if (shared !== undefined) return shared
    json.clear()
    json.ascii(`{${JSON.stringify(key)}:[`)
    for (const [index, bson] of documents.entries()) {
      if (index > 0) json.ascii(',')
      reader.write(bson, json, only)
    }
    json.ascii(']')
    if (rest !== '}') json.ascii(',')
    json.text(rest)
    const text = take(json)
    if (isShared) written.set(documents, text)
    return text
  }
}

function take (json: JsonBytes): string {
  return json.take() as string // Fastify sends bytes as well, which its type for serializers does not say
}
