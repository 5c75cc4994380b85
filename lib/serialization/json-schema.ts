/** What is read of a schema, which is a part of JSON Schema. */
export interface JsonSchema {
  type?: string | string[]
  format?: string
  enum?: unknown[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  /** The name that a property has in BSON, where it is another one. */
  'x-bson'?: string
  /** A property that is made for an answer, and stored nowhere. */
  'x-computed'?: boolean
}
