/** A document's bytes. */
export interface Source {
  bson: Buffer
  /** The fields to show, where not all are. */
  only?: ReadonlySet<string>
}

/** Puts the private fields of a class that extends it on an object that is there already: nothing else can see or copy them. */
class Given {
  constructor (object: object) {
    return object
  }
}

/**
 * The bytes behind a plain object, from which the compiled serializers write its JSON. Whoever else looks at the object, a
 * hook of a host's or its serializer, finds an object like any other.
 */
export class RawDocument extends Given {
  #source: Source
  #json: string | undefined
  #shown: Readonly<Record<string, unknown>>

  private constructor (object: object, source: Source) {
    super(object)
    this.#source = source
    this.#shown = { ...object }
  }

  /** The object, which shows what is stored in the bytes. */
  static behind<T extends object> (object: T, source: Source): T {
    return new RawDocument(object, source) as object as T // Given returns it as it came
  }

  /** The JSON of an object that is still as it came, written once; undefined for any other value. */
  static json (value: unknown, write: (source: Source) => string): string | undefined {
    const source = RawDocument.of(value)
    if (!source) return undefined
    const document = value as RawDocument // as found
    document.#json ??= write(source)
    return document.#json
  }

  /** The bytes behind an object that is still as it came; undefined for any other value. */
  static of (value: unknown): Source | undefined {
    if (typeof value !== 'object' || value === null || !(#source in value)) return undefined
    const object: object & Record<string, unknown> = value as object as Record<string, unknown> // by a name its value is unknown
    const shown = value.#shown
    // whichever of the two has a field that the other lacks
    for (const key in shown) if (object[key] !== shown[key]) return undefined
    for (const key in object) if (object[key] !== shown[key]) return undefined
    return value.#source
  }
}

/**
 * A list of stored documents as a property of a plain object, which is decoded only when somebody looks at it:
 * most lists are large, and most are only written as JSON.
 */
export class RawList extends Given {
  #documents: readonly Buffer[]
  #decode: (bson: Buffer) => object
  #decoded: unknown

  #only: ReadonlySet<string> | undefined

  private constructor (object: object, documents: readonly Buffer[], decode: (bson: Buffer) => object, only?: ReadonlySet<string>) {
    super(object)
    this.#documents = documents
    this.#decode = decode
    this.#only = only
  }

  /** An object that has the list under this name; `only` names the fields to show, where not all are. */
  static under<Name extends string, T extends object> (
    name: Name, documents: readonly Buffer[], decode: (bson: Buffer) => T, only?: ReadonlySet<string>): Record<Name, T[]> {
    const object = Object.defineProperty({}, name, RawList.#property)
    return new RawList(object, documents, decode, only) as object as Record<Name, T[]> // Given returns it as it came
  }

  /** The documents of an object that nobody has looked into, and which of their fields to show; undefined for any other value. */
  static of (value: unknown, name: string): { documents: readonly Buffer[], only: ReadonlySet<string> | undefined } | undefined {
    const isRaw = typeof value === 'object' && value !== null && #documents in value && Object.hasOwn(value, name)
    return isRaw && value.#decoded === undefined ? { documents: value.#documents, only: value.#only } : undefined
  }

  /** An object that has the same list under another name; undefined for a value without such a list. */
  static renamed (value: unknown, from: string, to: string): Record<string, unknown> | undefined {
    if (!RawList.of(value, from)) return undefined
    const list = value as RawList // as found
    return RawList.under(to, list.#documents, list.#decode, list.#only)
  }

  // one for all: V8 makes a hidden class for each other getter
  static #property = {
    configurable: true,
    enumerable: true,
    get (this: RawList): unknown {
      this.#decoded ??= this.#documents.map((bson) => this.#decode(bson))
      return this.#decoded
    },
    set (this: RawList, value: unknown): void {
      this.#decoded = value
    }
  }
}
