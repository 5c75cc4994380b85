import type { FastifyReply, FastifyRequest } from 'fastify'
import { digest, isNamed, parseEntityTags } from '../../lib/http/entity-tags.js'
import { NoConditionsError, PreconditionFailedError, PreconditionRequiredError } from '../../lib/http/errors.js'
import { createSerializerCompiler } from '../../lib/serialization/serializer.js'
import type { Fields, Resource, Shown } from '../../schemas/resource.js'

type Condition = (record: Shown<Fields>) => boolean

export interface ConditionOptions {
  /** Whether a shared cache may keep what one caller may see. */
  isPrivate: boolean
  /** Whether a change without If-Match is refused (RFC 6585 section 3). */
  requireIfMatch: boolean
  /** Whether the repository obeys conditions. */
  isServed: boolean
}

/** The entity tags of a resource's records, and the conditions of requests (RFC 9110 sections 8.8.3 and 13). */
export class Conditions {
  #serialize: (record: unknown) => string | Buffer
  #cacheControl: string
  #requireIfMatch: boolean
  #isServed: boolean
  /** Requests that shared a list share its bytes, which are hashed once. */
  #digests = new WeakMap<Buffer, string>()

  constructor ({ one }: Resource, { isPrivate, requireIfMatch, isServed }: ConditionOptions) {
    this.#isServed = isServed
    this.#serialize = createSerializerCompiler()({ schema: one })
    this.#cacheControl = isPrivate ? 'private, no-cache' : 'no-cache'
    this.#requireIfMatch = requireIfMatch
  }

  /** What the tag of a record says of its state: a hash of all that is shown of it. So it holds for what other software wrote, and in every process. */
  stateOf (record: unknown): string {
    return digest(this.#serialize(record))
  }

  /** The tag of a record that is shown whole. */
  tagOf (record: unknown): string {
    return Conditions.tagOf(this.#serialize(record))
  }

  /** The same by its JSON. */
  static tagOf (json: string | Buffer): string {
    return `"${digest(json)}"`
  }

  /**
   * Tags an answer with a record. Answers whether the client named this tag in If-None-Match: then the answer is 304.
   * @param fields which of its fields are shown, where not all are
   */
  tag (record: unknown, { headers }: FastifyRequest, reply: FastifyReply, fields?: readonly string[]): boolean {
    const state = this.stateOf(record)
    const opaque = fields ? `${state}.${digest([...fields].sort().join()).slice(0, 8)}` : state
    reply.header('etag', `"${opaque}"`).header('cache-control', this.#cacheControl)
    return isNamed(headers['if-none-match'], opaque)
  }

  /** Tags a list by its bytes, weakly; answers what to send: nothing, where the client has them. */
  tagList (payload: string | Buffer, { headers }: FastifyRequest, reply: FastifyReply): string | Buffer | null {
    const opaque = this.#digestOf(payload)
    reply.header('etag', `W/"${opaque}"`).header('cache-control', this.#cacheControl)
    if (!isNamed(headers['if-none-match'], opaque)) return payload
    // no body, rather than an empty one: its length would have to be that of the list (RFC 9110 section 8.6)
    reply.code(304).removeHeader('content-type')
    return null
  }

  /** What If-Match asks of the record that is to be changed; undefined for nothing. Throws where it is missing and must not be. */
  ifMatch (field: string | undefined): Condition | undefined {
    if (field === undefined && this.#requireIfMatch) throw new PreconditionRequiredError()
    if (field !== undefined && !this.#isServed) throw new NoConditionsError()
    const tags = field === undefined ? '*' : parseEntityTags(field)
    if (tags === '*') return undefined
    // what is malformed names nothing, and must not make the change unconditional
    const strong = (tags ?? []).filter(({ isWeak }) => !isWeak).map(({ opaque }) => opaque.split('.')[0])
    return (record) => strong.includes(this.stateOf(record))
  }

  /** The error for a record that is not as If-Match expects it. */
  changed (field: string | undefined): Error {
    const tags = parseEntityTags(String(field))
    if (!Array.isArray(tags)) return new PreconditionFailedError('If-Match is not a list of entity tags.')
    const isWeakened = tags.every(({ isWeak }) => isWeak)
    return new PreconditionFailedError(isWeakened ? 'If-Match compares strongly, and this tag is weak: a proxy may have weakened it.' : 'The record has changed since.')
  }

  #digestOf (payload: string | Buffer): string {
    if (typeof payload === 'string') return digest(payload)
    const known = this.#digests.get(payload) ?? digest(payload)
    this.#digests.set(payload, known)
    return known
  }
}
