import fastJsonStringify, { type AnySchema } from 'fast-json-stringify'

type Serialize = (value: unknown) => string

/**
 * The compiler behind every response schema. Each schema is compiled once: problem details alone stand behind some forty
 * answers, and would take most of the time of a start.
 */
export function createSerializerCompiler (): (route: { schema: unknown }) => Serialize {
  const compiled = new Map<unknown, Serialize>()
  return ({ schema }) => {
    const known = compiled.get(schema)
    if (known) return known
    const serialize = fastJsonStringify(schema as AnySchema) // Fastify types a route's schema as unknown
    compiled.set(schema, serialize)
    return serialize
  }
}
