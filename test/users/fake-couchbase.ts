import type { CouchbaseBucket, CouchbaseCollection } from '../../lib/users/couchbase-users.js'
import { documentId } from '../../lib/users/user-store.js'

/** An error as the SDK throws it: told from others by its name. */
export function sdkError (name: string, properties = {}): Error {
  return Object.assign(new Error(name), { name, ...properties })
}

/** A bucket in memory: JSON text with a version, each change of which is checked against the version that was read. */
export class FakeBucket implements CouchbaseBucket, CouchbaseCollection {
  /** What an operation of that name does instead, as long as it is set. */
  instead: { [operation in 'get' | 'insert' | 'replace' | 'remove' | 'query']?: () => Promise<never> } = {}
  #documents = new Map<string, { text: string, cas: number }>()
  #lastCas = 0

  defaultCollection () { return this }
  defaultScope () { return this }

  async get (key: string) {
    await this.instead.get?.()
    const { text, cas } = this.#find(key)
    return { content: JSON.parse(text), cas }
  }

  async insert (key: string, content: unknown) {
    await this.instead.insert?.()
    if (this.#documents.has(key)) throw sdkError('DocumentExistsError')
    this.put(key, content)
  }

  async replace (key: string, content: unknown, { cas }: { cas: unknown }) {
    await this.instead.replace?.()
    if (this.#find(key).cas !== cas) throw sdkError('CasMismatchError')
    this.put(key, content)
  }

  async remove (key: string, { cas }: { cas: unknown }) {
    await this.instead.remove?.()
    if (this.#find(key).cas !== cas) throw sdkError('CasMismatchError')
    this.#documents.delete(key)
  }

  async query () {
    await this.instead.query?.()
    const profiles = [...this.#documents].filter(([key]) => key.startsWith(documentId('')))
    return { rows: profiles.map(([, { text }]) => JSON.parse(text)) }
  }

  put (key: string, content: unknown) {
    this.#documents.set(key, { text: JSON.stringify(content), cas: ++this.#lastCas })
  }

  #find (key: string) {
    const document = this.#documents.get(key)
    if (!document) throw sdkError('DocumentNotFoundError')
    return document
  }
}
