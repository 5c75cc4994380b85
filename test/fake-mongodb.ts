import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { BSON, type Document } from 'mongodb'

interface Test {
  teardown (stop: () => unknown): void
}

/** What a server of MongoDB 7.0 says of itself. */
export const hello = {
  ok: 1, helloOk: true, isWritablePrimary: true, maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000, maxWriteBatchSize: 100000, minWireVersion: 0, maxWireVersion: 21
}

/** The address of a server that answers every message with a document, or not at all. `drop` ends the connection, `write` sends any bytes. */
export async function fakeMongodb (t: Test, answer: (command: Document, drop: () => void, write: (bytes: Buffer) => void) => Promise<Document | undefined> | Document | undefined) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onMessage(socket, async (message) => {
      const document = await answer(toCommand(message), () => socket.destroy(), (bytes) => socket.write(bytes))
      if (document) socket.write(reply(message, document))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server's address is of that type
}

/** Hands on whole messages, which may come in several pieces. */
function onMessage (socket: Socket, receive: (message: Buffer) => void): void {
  let pending = Buffer.alloc(0)
  socket.on('data', (piece) => {
    pending = Buffer.concat([pending, piece])
    while (pending.length >= 4 && pending.length >= pending.readInt32LE()) {
      const message = pending.subarray(0, pending.readInt32LE())
      pending = pending.subarray(message.length)
      receive(message)
    }
  })
}

const OP_MSG = 2013

/** The command of an OP_MSG, with the documents of its sequences as one of its fields each; empty for the older OP_QUERY. */
function toCommand (message: Buffer): Document {
  if (message.readInt32LE(12) !== OP_MSG) return {}
  const command = BSON.deserialize(message.subarray(21), { allowObjectSmallerThanBufferSize: true, promoteLongs: false })
  let at = 21 + message.readInt32LE(21)
  while (at < message.length) {
    const end = at + 1 + message.readInt32LE(at + 1)
    const nameEnd = message.indexOf(0, at + 5)
    const documents: Document[] = []
    for (let next = nameEnd + 1; next < end; next += message.readInt32LE(next)) {
      documents.push(BSON.deserialize(message.subarray(next), { allowObjectSmallerThanBufferSize: true, promoteLongs: false }))
    }
    command[message.toString('utf8', at + 5, nameEnd)] = documents
    at = end
  }
  return command
}

/** An OP_MSG: header, flags, and one section of kind 0. */
export function reply (message: Buffer, answer: Document): Buffer {
  const document = BSON.serialize(answer)
  const header = Buffer.alloc(21)
  header.writeInt32LE(21 + document.length, 0)
  header.writeInt32LE(message.readInt32LE(4), 8)
  header.writeInt32LE(OP_MSG, 12)
  return Buffer.concat([header, document])
}
