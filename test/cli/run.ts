import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { main } from '../../cli/main.js'
import type { Surroundings } from '../../cli/surroundings.js'
import { client, url } from '../store.js'
import { janeDoe } from '../samples.js'

interface Test {
  teardown (close: () => unknown): void
}

/** A database of the test's own, and the environment that names it. */
export function place (t: Test) {
  const database = client.db(`test_${randomUUID()}`)
  t.teardown(() => database.dropDatabase())
  return { students: database.collection('students'), env: { MONGODB_URL: url, MONGODB_DATABASE: database.databaseName } }
}

/** Standard streams that keep what is printed; a terminal types the answer once it is asked. */
export function streams ({ input = '', isTerminal = false, answer = '' } = {}) {
  const printed = { output: '', errors: '' }
  const stdin = isTerminal ? Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} }) : Readable.from([input])
  const printing = (name: keyof typeof printed) => Object.assign(new Writable({
    write (chunk, _encoding, done) {
      printed[name] += chunk
      if (String(chunk).endsWith(': ')) setImmediate(() => (stdin as PassThrough).write(`${answer}\r`))
      done()
    }
  }), { isTTY: isTerminal, columns: 200 })
  return { printed, stdin, stdout: printing('output'), stderr: printing('errors') }
}

/** Runs the command line; answers its exit status and what it printed where. */
export async function run (env: NodeJS.ProcessEnv, words: string[], options: Parameters<typeof streams>[0] = {}) {
  const { printed, ...around } = streams(options)
  const code = await main(words, { env: { ...env }, ...around } satisfies Surroundings)
  return { code, ...printed }
}

/** The base URL of an app that now listens. */
export function listen (app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers one request after the other as given, and all further ones like the last; with the requests that came. */
export async function answering (t: Test, ...answers: [Answer, ...Answer[]]) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    request.resume()
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests } // it listens on a port
}

/** A proxy that cuts its connections after so many bytes in that direction, each after its own number; those after them pass. */
export async function cutting (t: Test, target: string, direction: 'up' | 'down', cuts: number[]): Promise<string> {
  const server = createTcpServer((inner) => {
    const outer = connect(Number(new URL(target).port), '127.0.0.1')
    const left = cuts.shift() ?? Infinity
    join(inner, outer, direction === 'up' ? left : Infinity)
    join(outer, inner, direction === 'down' ? left : Infinity)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // as above
}

function join (from: Socket, to: Socket, bytes: number): void {
  let left = bytes
  from.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (!to.write(chunk)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
    if (left > 0) return
    from.destroy()
    to.destroy()
  })
  from.on('error', () => {})
  from.on('close', () => to.destroy())
}

/** So many different students. */
export function students (length: number) {
  return Array.from({ length }, (_, index) => ({ ...janeDoe, name: `Student ${index}`, course: `A "course", of\r\n${index % 7} lines`, gpa: index % 41 / 10 }))
}

export function ndjson (records: object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}
