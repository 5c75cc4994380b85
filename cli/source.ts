import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { PIPE } from './bulk.js'

/** Where the rows of an import come from. */
export class Source {
  /** In bytes, of a file. What comes through a pipe has no size that is known, and comes once. */
  readonly size: number | undefined
  /** Why it could not be read. */
  fault: Error | undefined
  #open: () => AsyncIterable<string | Buffer>

  private constructor (open: () => AsyncIterable<string | Buffer>, size?: number) {
    this.#open = open
    this.size = size
  }

  /** Throws Node's error where there is no such file. */
  static async of (file: string, stdin: NodeJS.ReadableStream): Promise<Source> {
    if (file === PIPE) return new Source(() => stdin)
    const found = await stat(file)
    return new Source(() => createReadStream(file), found.isFile() ? found.size : undefined)
  }

  /** Whether it can be read again. */
  get isRepeatable (): boolean {
    return this.size !== undefined
  }

  /** Its bytes from the beginning; tells how many were taken. */
  open (onTaken: (bytes: number) => void): Readable {
    return Readable.from(this.#taken(onTaken), { objectMode: false })
  }

  async * #taken (onTaken: (bytes: number) => void): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of this.#read()) {
      yield chunk
      onTaken(bytes += chunk.length)
    }
  }

  /** A generator of its own, which the errors of whoever takes the bytes don't reach. */
  async * #read (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#open()) yield Buffer.from(chunk)
    } catch (error) {
      this.fault = error as Error // nothing here throws anything else
      throw error
    }
  }
}
