import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson'

const NAMES = ['_id', 'name', 'email', 'course', 'gpa', 'id', 'nam', 'names', 'GPA', 'x', '']
const TEXTS = ['', 'Jane Doe', '"quoted" \\ /', '\u0000\u001f\u007f\n', 'Zoë', '漢字', '👩🏽‍🎓', '\u2028', 'a'.repeat(300), `${'b'.repeat(70)}é`]
const NUMBERS = [0, -0, 1, -1, 3.5, 0.1, 1e21, 1e-7, 123456789, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE, NaN, Infinity, -Infinity]
const DECIMALS = ['0', '-0', '3.50', '1E+3', '1E-9', '9.999999999999999999999999999999999E+6144', 'NaN', 'Infinity', '-Infinity']

/** Documents as other software may have stored them, the same ones for the same seed. */
export class RandomBson {
  #state: number

  constructor (seed: number) {
    this.#state = seed
  }

  /** A whole number from 0 to below the limit (mulberry32). */
  below (limit: number): number {
    this.#state = (this.#state + 0x6D2B79F5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return Math.floor(((bits ^ (bits >>> 14)) >>> 0) / 4294967296 * limit)
  }

  /** Fields in any order, of any type, some of them twice. */
  document (): Buffer {
    const fields = Array.from({ length: this.below(9) }, () => Buffer.from(serialize({ [this.#pick(NAMES)]: this.#value() })).subarray(4, -1))
    const id = this.below(4) > 0 ? [Buffer.from(serialize({ _id: new ObjectId() })).subarray(4, -1)] : []
    const document = Buffer.concat([Buffer.alloc(4), ...id, ...fields, Buffer.alloc(1)])
    document.writeInt32LE(document.length)
    if (this.below(4) === 0) this.#spoilText(document)
    return document
  }

  /** The document with bytes changed, cut off, put in or left out. */
  corrupt (document: Buffer): Buffer {
    const at = this.below(document.length)
    const kind = this.below(6)
    if (kind === 0) return document.subarray(0, at)
    if (kind === 1) return Buffer.concat([document.subarray(0, at), Buffer.of(this.below(256)), document.subarray(at)])
    if (kind === 2) return Buffer.concat([document.subarray(0, at), document.subarray(at + 1)])
    const changed = Buffer.from(document)
    for (let n = 0; n < kind - 2; n++) changed[this.below(changed.length)] = this.#pick([0, 1, 2, 3, 4, 5, 8, 15, 127, 128, 255, this.below(256)])
    return changed
  }

  #pick<T> (from: readonly [T, ...T[]] | readonly T[]): T {
    return from[this.below(from.length)] as T // below its length
  }

  #value (depth = 0): unknown {
    const kinds = [
      () => this.#pick(TEXTS), () => this.#pick(TEXTS),
      () => new Double(this.#pick(NUMBERS)), () => new Double((this.below(4000) - 2000) / (1 + this.below(1000))),
      () => new Int32(this.below(2 ** 32) - 2 ** 31), () => new Long(this.below(2 ** 32), this.below(2 ** 32)),
      () => Decimal128.fromString(this.#pick(DECIMALS)), () => new Date(this.below(2 ** 32) * 1000), () => null, () => this.below(2) === 1,
      () => new ObjectId(), () => new Binary(Buffer.from('binary'), this.#pick([0, 2, 4])), () => new BSONRegExp('a+', 'i'),
      () => new BSONSymbol(this.#pick(TEXTS)), () => new Code('f'), () => new Code('f', { a: 1 }), () => new Timestamp({ t: 1, i: 2 }),
      () => new MinKey(), () => new MaxKey(),
      () => depth > 3 ? {} : { a: this.#value(depth + 1), b: this.#value(depth + 1) },
      () => depth > 3 ? [] : [this.#value(depth + 1), this.#value(depth + 1)]
    ]
    return this.#pick(kinds)()
  }

  /** Text that is no UTF-8, without touching what is no text. */
  #spoilText (document: Buffer): void {
    const at = document.indexOf('Jane')
    if (at !== -1) document[at + this.below(4)] = 128 + this.below(128)
  }
}
