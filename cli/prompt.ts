import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Surroundings } from './surroundings.js'

export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  output: NodeJS.WritableStream
}

/** What must not stand in the process's arguments, where others can read it. */
export async function ask (what: string, { stdin, stderr }: Surroundings): Promise<string> {
  return readSecret(what, { input: stdin, output: stderr })
}

/** A secret from a prompt that echoes nothing, asked twice if it is a new one; from standard input, its first line, where that is no terminal. */
export async function readSecret (name: string, { input, output }: Terminal, { isNew = true } = {}): Promise<string> {
  if (!input.isTTY) return (await text(input)).replace(/\r?\n.*$/s, '')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: silent, terminal: true })
  const ask = async (question: string) => {
    output.write(question)
    const answer = await lines.question('')
    output.write('\n')
    return answer
  }
  try {
    const secret = await ask(`${name}: `)
    if (isNew && await ask(`${name} again: `) !== secret) throw new Error('The two entries differ.')
    return secret
  } finally {
    lines.close()
  }
}
