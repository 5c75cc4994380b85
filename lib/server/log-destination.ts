import { fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'

/** How much waits for a pipe that nobody reads; what comes beyond that is lost. */
const WAITING_BYTES = 1_048_576

/** How long the end of the process may wait for the last lines. */
const FLUSH_LIMIT_MS = 500

type Write = (text: string) => boolean

/**
 * Where log lines go: they are written to a file descriptor at once and in order, and never hold up the process. Where a disk is full,
 * a pipe is not read or its reader is gone, lines are lost, and a line says how many once there is room again.
 */
export class LogDestination {
  #write: Write
  #pipe: Socket | undefined
  #lost = 0
  #lostInAll = 0

  constructor (descriptor: number) {
    this.#pipe = isPipe(descriptor) ? openPipe(descriptor) : undefined
    this.#write = this.#pipe ? pipeWriter(this.#pipe) : fileWriter(descriptor)
  }

  write (line: string): void {
    const report = this.#lost > 0 ? `${JSON.stringify({ level: 40, time: Date.now(), msg: `${this.#lost} log lines were lost` })}\n` : ''
    if (this.#write(report + line)) this.#lost = 0
    else {
      this.#lost++
      this.#lostInAll++
    }
  }

  /** How many lines were lost since the start. */
  get lost (): number {
    return this.#lostInAll
  }

  /** Resolves when all is written, or when that takes too long. */
  async flush (): Promise<void> {
    const pipe = this.#pipe
    if (!pipe || pipe.destroyed || pipe.writableLength === 0) return
    await new Promise<void>((resolve) => {
      setTimeout(resolve, FLUSH_LIMIT_MS)
      pipe.write('', () => resolve())
    })
  }
}

function isPipe (descriptor: number): boolean {
  const status = fstatSync(descriptor)
  return status.isFIFO() || status.isSocket()
}

/** A write to it never blocks, which one to process.stdout does. */
function openPipe (descriptor: number): Socket {
  const pipe = new Socket({ fd: descriptor, readable: false, writable: true })
  pipe.on('error', () => {}) // the reader is gone: every line is lost from now on
  return pipe
}

function pipeWriter (pipe: Socket): Write {
  return (text) => {
    if (pipe.destroyed || pipe.writableLength + text.length > WAITING_BYTES) return false
    pipe.write(text)
    return true
  }
}

function fileWriter (descriptor: number): Write {
  return (text) => {
    try {
      writeSync(descriptor, text)
      return true
    } catch {
      return false
    }
  }
}
