type Json = Record<string, unknown>

/**
 * The OpenAPI document with each titled object schema moved to `components.schemas` under its title.
 * Routes keep their schemas inline, so that no name of ours can meet one of a host.
 */
export function hoistComponents<T extends object> (document: T): T {
  const schemas: Json = {}
  const hoisted = walk(document, schemas) as T & { components?: Json } // same shape, only schemas are replaced
  return { ...hoisted, components: { ...hoisted.components, schemas } }
}

function walk (value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, schemas))
  if (typeof value !== 'object' || value === null) return value
  const walked: Json = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, schemas)]))
  if (walked.type !== 'object' || typeof walked.title !== 'string') return walked
  schemas[walked.title] = walked
  return { $ref: `#/components/schemas/${walked.title}` }
}
