/** What a proxy put before the path that an app knows, by the path that the client asked for: empty where the two are the same. */
export function baseOf (asked: string, known: string): string {
  const [path = ''] = asked.split(/[?#]/, 1)
  return path.endsWith(known) ? path.slice(0, -known.length) : ''
}

/** Parts of OpenAPI that hold URLs of the API itself. */
interface OpenApiDocument {
  components?: { securitySchemes?: Record<string, unknown> }
}

/** A copy of an OpenAPI document for clients that reach the API under a base path; the document itself without one. */
export function documentUnder<T extends object> (base: string, document: T): T {
  if (base === '') return document
  const { components } = document as OpenApiDocument
  const schemes = Object.entries(components?.securitySchemes ?? {}).map(([name, scheme]) => [name, schemeUnder(base, scheme as object)])
  return {
    ...document,
    servers: [{ url: base }],
    ...components && { components: { ...components, ...components.securitySchemes && { securitySchemes: Object.fromEntries(schemes) } } }
  }
}

/** The security scheme with the URLs of its flows, which no server of the document goes before. */
function schemeUnder (base: string, scheme: { flows?: Record<string, Record<string, unknown>> }): object {
  if (!scheme.flows) return scheme
  const flows = Object.entries(scheme.flows).map(([name, flow]) => [name, Object.fromEntries(
    Object.entries(flow).map(([key, value]) => [key, key.endsWith('Url') ? `${base}${String(value)}` : value]))])
  return { ...scheme, flows: Object.fromEntries(flows) }
}
