import fastJsonStringify, { type AnySchema } from 'fast-json-stringify'
import { compileDocument, type JsonSchema } from './bson-json.js'
import { JsonBytes } from './json-bytes.js'
import { RawDocument, RawList } from './raw-document.js'

type Serialize = (value: unknown) => string

/** Answers undefined for a value that is none of raw documents. */
type SerializeRaw = (value: unknown) => string | undefined

/**
 * The compiler behind every response schema. Each schema is compiled once: problem details alone stand behind some forty
 * answers, and would take most of the time of a start.
 *
 * A raw document, and an object whose one property is a list of them, is written as JSON straight from its bytes where
 * the schema allows it. Any other value, and any other schema, is fast-json-stringify's; another builder is for tests.
 */
export function createSerializerCompiler (build: (schema: AnySchema) => Serialize = fastJsonStringify): (route: { schema: unknown }) => Serialize {
  const compiled = new Map<unknown, Serialize>()
  const json = new JsonBytes()
  return ({ schema }) => {
    const known = compiled.get(schema)
    if (known) return known
    const stringify = build(schema as AnySchema) // Fastify types a route's schema as unknown
    const raw = compileRaw(schema as JsonSchema, json)
    const serialize: Serialize = raw ? (value) => raw(value) ?? stringify(value) : stringify
    compiled.set(schema, serialize)
    return serialize
  }
}

function compileRaw (schema: JsonSchema, json: JsonBytes): SerializeRaw | undefined {
  return compileOne(schema, json) ?? compileList(schema, json)
}

function compileOne (schema: JsonSchema, json: JsonBytes): SerializeRaw | undefined {
  const write = compileDocument(schema)
  return write && ((value) => {
    const source = RawDocument.of(value)
    if (!source) return undefined
    json.clear()
    write(source.bson, json, source.elements)
    return take(json)
  })
}

function compileList ({ properties = {} }: JsonSchema, json: JsonBytes): SerializeRaw | undefined {
  const [[key, { type, items }] = ['', {}], ...others] = Object.entries(properties)
  const write = type === 'array' && items && others.length === 0 ? compileDocument(items) : undefined
  // requests that shared one read share its JSON too
  const written = new WeakMap<readonly Buffer[], string>()
  return write && ((value) => {
    const documents = RawList.of(value, key)
    if (!documents) return undefined
    const shared = written.get(documents)
    if (shared !== undefined) return shared
    json.clear()
    json.ascii(`{${JSON.stringify(key)}:[`)
    for (const [index, bson] of documents.entries()) {
      if (index > 0) json.ascii(',')
      write(bson, json)
    }
    json.ascii(']}')
    const text = take(json)
    written.set(documents, text)
    return text
  })
}

function take (json: JsonBytes): string {
  return json.take() as string // Fastify sends bytes as well, which its type for serializers does not say
}
